import { CurfewError, type GrantOptions } from '@curfew/shared';
import type { CommandRunner } from '../../ports/command-runner.js';
import type { FoundRight, GrantOrder, RightCondition, RightRef } from '../../ports/privilege-host.js';
import { markOf, type KindHost, type KindReport } from '../unix/kind-host.js';
import { isPlainName } from '../unix/membership-mark.js';
import type { MembershipMarks } from '../unix/membership-marks.js';
import type { GroupWatch } from './group-watch.js';
import { MAC_MEMBERSHIP_REMOVAL } from './mac-membership-removal.js';
import { MAC_TOOLS } from './mac-tools.js';
import { ADMIN_GID, type MacGroup, type OpenDirectory } from './open-directory.js';
import type { Sweeper } from './sweeper.js';

/** opendirectoryd may be slow where it asks servers. */
const PATIENCE_MS = 20_000;

export interface AdminGroupHostParts {
  readonly runner: CommandRunner;
  readonly directory: OpenDirectory;
  readonly marks: MembershipMarks;
  readonly watch: GroupWatch;
  readonly sweeper: Sweeper;
  readonly bootId: () => string;
}

/**
 * Rights as memberships of a local group: the administrators' with GID 80, or another. They last over a reboot, so each has
 * a mark that the sweeper knows; only what has a mark is ever taken away.
 */
export class AdminGroupHost implements KindHost {
  readonly kind = 'group_membership' satisfies GrantOptions['kind'];

  constructor(private readonly parts: AdminGroupHostParts) {}

  async prepare(): Promise<KindReport> {
    const why = await this.parts.sweeper.whyNot();
    return { support: why === '' ? { supported: true } : { supported: false, why }, findings: await this.findings() };
  }

  async list(): Promise<FoundRight[]> {
    return (await this.parts.marks.list()).map(({ uid, sessionId }) => ({ uid, sessionId, kind: this.kind }));
  }

  removal(order: GrantOrder): readonly string[] {
    const { uid, sessionId } = markOf(order);
    const { marks } = this.parts;
    return [MAC_TOOLS.sh, marks.script, 'any', marks.file(uid, sessionId)];
  }

  async grant(order: GrantOrder): Promise<void> {
    const { directory, marks, sweeper, bootId } = this.parts;
    const why = await sweeper.whyNot();
    if (why !== '') throw unsupported(why);
    const { uid, sessionId } = markOf(order);
    const user = order.account.name;
    const group = await this.groupOf(order.options.group);
    const earlier = await marks.read(uid, sessionId);
    if (earlier !== undefined && earlier.group !== group.name) await this.remove(order);
    if (earlier?.group !== group.name) {
      await this.assertStranger(order, group);
      await this.assertNotTheLast(order, group);
    }
    await marks.write({ bootId: bootId(), uid, user, group: group.name, sessionId });
    const problem = await directory.add(user, group.name);
    if (problem !== '') throw new CurfewError('GRANT_NOT_EFFECTIVE', { detail: problem });
  }

  async inspect(right: RightRef): Promise<RightCondition> {
    const { uid, sessionId } = markOf(right);
    const mark = await this.parts.marks.read(uid, sessionId);
    if (mark === undefined) return 'absent';
    if (!(await this.parts.watch.names(mark.group)).has(mark.user)) return 'absent';
    return mark.user === right.account.name ? 'live' : 'altered';
  }

  async remove(right: RightRef | FoundRight): Promise<void> {
    const { uid, sessionId } = markOf(right);
    const { runner, marks } = this.parts;
    if ((await marks.read(uid, sessionId)) === undefined) return;
    // From memory: a file that is gone must not keep the agent from removing.
    const args = ['-c', MAC_MEMBERSHIP_REMOVAL, 'curfew', 'any', marks.file(uid, sessionId)];
    const { exitCode, stderr } = await runner.run(MAC_TOOLS.sh, args, { timeoutMs: PATIENCE_MS });
    if ((await marks.read(uid, sessionId)) !== undefined)
      throw new CurfewError('COMMAND_FAILED', {
        command: MAC_TOOLS.dseditgroup,
        exitCode: String(exitCode),
        stderr: stderr.trim(),
      });
  }

  uninstall(): Promise<void> {
    return this.parts.marks.clear();
  }

  /** Rights that are over and that cannot be taken away, because their Mac has no other administrator by now. */
  private async findings(): Promise<string[]> {
    const { directory, marks } = this.parts;
    const given = await marks.list();
    if (given.length === 0) return [];
    const { name } = await directory.adminGroup();
    return given.some(({ group }) => group === name) && !(await this.hasOthers(name))
      ? [
          'This Mac has no administrator but those of sessions: the last of them keeps the right until there is another.',
        ]
      : [];
  }

  /**
   * Whether a group has members beside those of sessions, as the removal counts them: root and services are none, a group
   * inside it is one.
   */
  private async hasOthers(name: string): Promise<boolean> {
    const { directory, marks } = this.parts;
    const { names, nested } = await directory.members(name);
    const own = new Set((await marks.list()).filter(({ group }) => group === name).map(({ user }) => user));
    const isOther = (member: string): boolean => member !== 'root' && !member.startsWith('_') && !own.has(member);
    return nested.size > 0 || [...names].some(isOther);
  }

  /** The removal locks the last administrator of a Mac out no more than anybody else does: such a right would not end. */
  private async assertNotTheLast({ account }: GrantOrder, { name, gid }: MacGroup): Promise<void> {
    if (gid === ADMIN_GID && !(await this.hasOthers(name)))
      throw unsupported(
        `this Mac has no administrator but those of sessions, and ${account.name} would stay one: make another account an ` +
          `administrator first, that of your management, say`,
      );
  }

  /** The group of a lease; '' is the one with GID 80. */
  private async groupOf(name: string): Promise<MacGroup> {
    if (name === '') return this.parts.directory.adminGroup();
    const group = isPlainName(name) ? await this.parts.directory.group(name) : undefined;
    if (group === undefined) throw unsupported(`this Mac has no group ${name} of its own`);
    return group;
  }

  /** Who is a member anyway, also by a group inside the group, would not lose it at the end. */
  private async assertStranger(order: GrantOrder, group: MacGroup): Promise<void> {
    const { name } = order.account;
    const refuse = (why: string): never => {
      throw new CurfewError('ACCOUNT_INELIGIBLE', { account: name, why });
    };
    if (!isPlainName(name)) refuse('its name has characters that group memberships are not given for');
    if (await this.parts.directory.isMember(name, group.name))
      refuse(`it is a member of ${group.name} without this session`);
  }
}

const unsupported = (why: string): CurfewError =>
  new CurfewError('GRANT_KIND_UNSUPPORTED', { kind: 'group membership', why });
