import { CurfewError, type GrantOptions } from '@curfew/shared';
import type { CommandRunner } from '../../ports/command-runner.js';
import type { FoundRight, GrantOrder, RightCondition, RightRef } from '../../ports/privilege-host.js';
import type { BootSweep } from './boot-sweep.js';
import type { GroupDatabase, GroupEntry } from './group-database.js';
import { markOf, type KindHost, type KindReport } from '../unix/kind-host.js';
import { isPlainName } from '../unix/membership-mark.js';
import type { MembershipMarks } from '../unix/membership-marks.js';
import { MEMBERSHIP_REMOVAL } from './membership-removal.js';
import type { ToolPath } from '../unix/system-tools.js';

const SHELL = '/bin/sh';
/** gpasswd waits for whoever has the group database locked. */
const LOCK_WAIT_MS = 20_000;
/** The administrators' group, by the customs of Debian and Ubuntu, and of Fedora, SUSE, Arch and Alpine. */
const ADMIN_GROUPS = ['sudo', 'wheel'];

export interface GroupHostParts {
  readonly runner: CommandRunner;
  readonly tools: ToolPath;
  readonly accounts: { primaryGid(uid: number): Promise<number | undefined> };
  readonly groups: GroupDatabase;
  readonly marks: MembershipMarks;
  /** The groups whose members may do everything by the machine's own sudo rules. */
  readonly ruleGroups: () => Promise<ReadonlySet<string>>;
  /** undefined where there is no init that would run it. */
  readonly bootSweep: BootSweep | undefined;
  readonly bootId: () => string;
}

/**
 * Rights as memberships of a group in /etc/group, by the machine's own tools. They last over a reboot, so each has a
 * mark that the sweep at boot knows; only what has a mark is ever taken away.
 */
export class GroupHost implements KindHost {
  readonly kind = 'group_membership' satisfies GrantOptions['kind'];

  constructor(private readonly parts: GroupHostParts) {}

  async prepare(): Promise<KindReport> {
    const why = this.whyNot();
    return { support: why === '' ? { supported: true } : { supported: false, why }, findings: [] };
  }

  async list(): Promise<FoundRight[]> {
    return (await this.parts.marks.list()).map(({ uid, sessionId }) => ({ uid, sessionId, kind: this.kind }));
  }

  removal(order: GrantOrder): readonly string[] {
    const { uid, sessionId } = markOf(order);
    const { marks } = this.parts;
    return [SHELL, marks.script, 'any', marks.file(uid, sessionId)];
  }

  async grant(order: GrantOrder): Promise<void> {
    const { runner, marks, bootSweep, bootId } = this.parts;
    const [why, adder] = [this.whyNot(), this.adder()];
    if (why !== '' || bootSweep === undefined || adder === undefined) throw unsupported(why);
    const { uid, sessionId } = markOf(order);
    const group = await this.groupOf(order.options.group);
    const user = order.account.name;
    const earlier = await marks.read(uid, sessionId);
    if (earlier !== undefined && earlier.group !== group.name) await this.remove(order);
    if (earlier?.group !== group.name) await this.assertStranger(order, group);
    await bootSweep.install().catch((error: unknown) => {
      throw new CurfewError('REMOVER_UNAVAILABLE', { detail: String(error) }, { cause: error });
    });
    await marks.write({ bootId: bootId(), uid, user, group: group.name, sessionId });
    const added = await runner.run(adder.program, [...adder.flags, user, group.name], { timeoutMs: LOCK_WAIT_MS });
    if (added.exitCode !== 0) throw new CurfewError('GRANT_NOT_EFFECTIVE', { detail: added.stderr.trim() });
    await this.readBack(order, group.name);
  }

  async inspect(right: RightRef): Promise<RightCondition> {
    const { uid, sessionId } = markOf(right);
    const mark = await this.parts.marks.read(uid, sessionId);
    if (mark === undefined) return 'absent';
    const members = (await this.parts.groups.group(mark.group))?.members ?? [];
    if (!members.includes(mark.user)) return 'absent';
    return mark.user === right.account.name ? 'live' : 'altered';
  }

  async remove(right: RightRef | FoundRight): Promise<void> {
    const { uid, sessionId } = markOf(right);
    const { runner, marks } = this.parts;
    if ((await marks.read(uid, sessionId)) === undefined) return;
    // From memory: a file that is gone must not keep the agent from removing.
    const args = ['-c', MEMBERSHIP_REMOVAL, 'curfew', 'any', marks.file(uid, sessionId)];
    const { exitCode, stderr } = await runner.run(SHELL, args, { timeoutMs: LOCK_WAIT_MS });
    if ((await marks.read(uid, sessionId)) !== undefined)
      throw new CurfewError('COMMAND_FAILED', { command: SHELL, exitCode: String(exitCode), stderr: stderr.trim() });
  }

  async uninstall(): Promise<void> {
    await this.parts.bootSweep?.uninstall();
    await this.parts.marks.clear();
  }

  private whyNot(): string {
    if (this.parts.bootSweep === undefined)
      return 'a membership lasts over a reboot, and without systemd or OpenRC nothing would take it away before people log in';
    if (this.parts.tools('getent') === undefined) return 'getent is not installed';
    return this.adder() === undefined ? 'neither gpasswd nor addgroup is installed' : '';
  }

  /** What adds a person to a group: gpasswd of shadow, or addgroup, as busybox and Debian's adduser have it. */
  private adder(): { readonly program: string; readonly flags: readonly string[] } | undefined {
    const [gpasswd, addgroup] = [this.parts.tools('gpasswd'), this.parts.tools('addgroup')];
    if (gpasswd !== undefined) return { program: gpasswd, flags: ['-a'] };
    return addgroup === undefined ? undefined : { program: addgroup, flags: [] };
  }

  /** The group of a lease; '' is the machine's administrators' group. */
  private async groupOf(name: string): Promise<GroupEntry> {
    for (const candidate of name === '' ? await this.adminGroups() : [name]) {
      const group = isPlainName(candidate) ? await this.parts.groups.group(candidate) : undefined;
      if (group !== undefined) return group;
    }
    throw unsupported(name === '' ? 'it has no group sudo or wheel' : `it has no group ${name} in /etc/group`);
  }

  /** By the machine's own sudo rules, the customary ones first; where they name no group that is there, by custom alone. */
  private async adminGroups(): Promise<string[]> {
    const named = await this.parts.ruleGroups();
    const customary = ADMIN_GROUPS.filter((group) => named.has(group));
    return [...customary, ...[...named].sort(), ...ADMIN_GROUPS];
  }

  /** Who is a member anyway would not lose it at the end, so the session would be a lie from the start. */
  private async assertStranger(order: GrantOrder, group: GroupEntry): Promise<void> {
    const { name } = order.account;
    const refuse = (why: string): never => {
      throw new CurfewError('ACCOUNT_INELIGIBLE', { account: name, why });
    };
    if (!isPlainName(name)) refuse('its name has characters that the group database does not take');
    if (group.members.includes(name)) refuse(`it is a member of ${group.name} without this session`);
    const { uid } = order.account;
    if (uid !== null && (await this.parts.accounts.primaryGid(uid)) === group.gid)
      refuse(`${group.name} is its primary group`);
  }

  private async readBack(order: GrantOrder, group: string): Promise<void> {
    if ((await this.inspect(order)) !== 'live')
      throw new CurfewError('GRANT_NOT_EFFECTIVE', { detail: `/etc/group does not name the account in ${group}` });
    const { stdout } = await this.parts.runner.run(this.parts.tools('getent') ?? '/usr/bin/getent', ['group', group]);
    const members = stdout.trim().split(':')[3]?.split(',') ?? [];
    if (!members.includes(order.account.name))
      throw new CurfewError('GRANT_NOT_EFFECTIVE', { detail: `name services do not name the account in ${group}` });
  }
}

const unsupported = (why: string): CurfewError =>
  new CurfewError('GRANT_KIND_UNSUPPORTED', { kind: 'group membership', why });
