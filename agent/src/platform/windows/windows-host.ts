import { CurfewError, type GrantOptions } from '@curfew/shared';
import type { AccountDirectory } from '../../ports/account-directory.js';
import type {
  FoundRight,
  GrantOrder,
  HostCapabilities,
  PrivilegeHost,
  RightCondition,
  RightRef,
} from '../../ports/privilege-host.js';
import { assertLeased } from '../leased-account.js';
import { callFailed, type LocalGroup, type LocalGroups } from './local-groups.js';
import type { MembershipMark, MembershipMarks } from './membership-marks.js';
import { SIGNED_OUT_WITHIN, type PowerEnding } from './power-ending.js';
import type { TaskRemover } from './task-remover.js';
import { ADMINISTRATORS, STATUS, type GroupsApi } from './windows-api.js';

export interface WindowsHostParts {
  readonly api: GroupsApi;
  readonly groups: LocalGroups;
  readonly accounts: AccountDirectory;
  readonly marks: MembershipMarks;
  readonly remover: TaskRemover;
  readonly ending: PowerEnding;
  readonly bootId: () => string;
}

const KIND = 'group_membership' satisfies GrantOptions['kind'];

const FINDINGS = [
  'scheduled tasks, files and settings that would outlast a session are not looked for on Windows; new services and members of the administrators are',
];

/**
 * Rights as memberships of a local group, by SID. They last over a reboot, so each has a mark that the agent and the task
 * of its own know; only what has a mark is ever taken away.
 */
export class WindowsHost implements PrivilegeHost {
  private work: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: WindowsHostParts) {}

  async prepare(): Promise<HostCapabilities> {
    const why = 'Windows has no sudo rules; ask for membership of a group';
    const group = await this.parts.groups.bySid(ADMINISTRATORS);
    await this.parts.ending.resume(this.parts.bootId());
    return {
      kinds: {
        sudo_rule: { supported: false, why },
        group_membership:
          group === undefined
            ? { supported: false, why: 'its group of administrators cannot be looked up' }
            : { supported: true },
      },
      sudoVersion: '',
      sudoEnforcesEnd: false,
      independentRemover: this.parts.remover.kind,
      findings: FINDINGS,
    };
  }

  async list(): Promise<FoundRight[]> {
    const marks = await this.parts.marks.list();
    return marks.map(({ sessionId, sid }) => ({ sessionId, kind: KIND, uid: null, sid }));
  }

  arm(order: GrantOrder): Promise<void> {
    return this.parts.remover.arm(order);
  }

  async grant(order: GrantOrder): Promise<void> {
    try {
      await this.check(order);
      await this.join(order);
    } catch (error) {
      await this.remove(order);
      throw error;
    }
  }

  async inspect({ sessionId, account }: RightRef): Promise<RightCondition> {
    const mark = await this.parts.marks.read(sessionId);
    if (mark === undefined) return 'absent';
    if (!(await this.isMember(mark))) return 'absent';
    return mark.sid === account.sid ? 'live' : 'altered';
  }

  /** By the mark alone: neither a name of the account nor a domain that answers is needed. */
  remove({ sessionId }: RightRef | FoundRight): Promise<void> {
    return this.inTurn(() => this.removeNow(sessionId));
  }

  private async removeNow(sessionId: string): Promise<void> {
    const { api, marks, ending } = this.parts;
    const mark = await marks.read(sessionId);
    if (mark === undefined) return;
    // Of those who leave at once, also in other processes, the last sees nobody who stays.
    if (await this.isShared(mark)) await marks.leave(sessionId);
    if (!(await this.isShared(mark))) {
      const group = await this.groupOf(mark);
      const status = await api.remove(group.name, mark.sid);
      if (!GONE.has(status)) throw callFailed('NetLocalGroupDelMembers', status);
      if (await this.isMember(mark)) throw callFailed('NetLocalGroupDelMembers had no effect', status);
    }
    const { sid, bootId, keepProcesses: keep } = mark;
    // Tokens of another boot are gone; those of other groups are their owners' to know.
    if (mark.groupSid === ADMINISTRATORS && bootId === this.parts.bootId())
      await ending.begin({ sessionId, sid, bootId, keep });
    await marks.remove(sessionId);
  }

  armed(): Promise<readonly string[]> {
    return this.parts.remover.armed();
  }

  disarm(sessionId: string): Promise<void> {
    return this.parts.remover.disarm(sessionId);
  }

  async uninstall(): Promise<void> {
    const { remover, marks, ending, bootId } = this.parts;
    for (const right of await this.list()) {
      await this.remove(right);
      await this.disarm(right.sessionId);
    }
    await remover.clear();
    await marks.clear();
    // Also what an agent had begun with that was stopped for this: nobody comes after.
    await ending.resume(bootId());
    await ending.untilOver(SIGNED_OUT_WITHIN);
    await ending.clear();
  }

  /** Puts the account into the group under a mark, and reads it back. */
  private async join(order: GrantOrder): Promise<void> {
    const { groups, marks, bootId } = this.parts;
    const { sessionId, account, options, keepProcesses } = order;
    const group = await groups.ofLease(options.group);
    const mark: MembershipMark = {
      sessionId,
      bootId: bootId(),
      sid: account.sid,
      name: account.name,
      groupSid: group.sid,
      groupName: group.name,
      keepProcesses,
    };
    const earlier = await marks.read(sessionId);
    if (earlier !== undefined && !isSameMembership(earlier, mark)) await this.remove(order);
    // Before its turn: where a domain is asked, it may be long in answering.
    if (!(await this.isGiven(mark))) await this.assertStranger(order, group);
    await this.inTurn(() => this.joinNow(mark));
  }

  private async joinNow(mark: MembershipMark): Promise<void> {
    const { api, marks } = this.parts;
    const { sessionId, sid, name, groupName } = mark;
    const isGiven = await this.isGiven(mark);
    await marks.write(mark);
    const status = await api.add(groupName, sid);
    if (status === STATUS.alreadyMember && !isGiven) {
      // Somebody else was faster: what they gave is not for Curfew to take.
      await marks.remove(sessionId);
      refuse(name, `it has become a member of ${groupName} without this session`);
    }
    if (status !== STATUS.ok && status !== STATUS.alreadyMember)
      throw new CurfewError('GRANT_NOT_EFFECTIVE', { detail: `NetLocalGroupAddMembers gave ${status}` });
    if (!(await this.isMember(mark)))
      throw new CurfewError('GRANT_NOT_EFFECTIVE', { detail: `${groupName} does not hold the account` });
  }

  /** Who is a member anyway would not lose it at the end, so the session would be a lie from the start. */
  private async assertStranger({ account }: GrantOrder, group: LocalGroup): Promise<void> {
    const { groups } = this.parts;
    if ((await groups.members(group)).includes(account.sid) || (await groups.holds(group, account.name)))
      refuse(account.name, `it is a member of ${group.name} without this session`);
  }

  private async isMember(mark: MembershipMark): Promise<boolean> {
    return (await this.parts.groups.members(await this.groupOf(mark))).includes(mark.sid);
  }

  /** Whether the membership is there by a session already. */
  private async isGiven(mark: MembershipMark): Promise<boolean> {
    return (await this.parts.marks.list()).some((one) => isSameMembership(one, mark));
  }

  /** Whether another session of the account holds the same membership: then it stays. */
  private async isShared(mark: MembershipMark): Promise<boolean> {
    const staying = await this.parts.marks.staying();
    return staying.some((one) => one.sessionId !== mark.sessionId && isSameMembership(one, mark));
  }

  /** One after the other: who joins while another session leaves would lose the membership with it. */
  private inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.work.then(change);
    this.work = done.catch(() => undefined);
    return done;
  }

  /** By the name that the group has now; where that cannot be asked, by the one that it had. */
  private async groupOf({ groupSid, groupName }: MembershipMark): Promise<LocalGroup> {
    return (await this.parts.groups.bySid(groupSid)) ?? { sid: groupSid, name: groupName };
  }

  private async check({ account, options }: GrantOrder): Promise<void> {
    await assertLeased(this.parts.accounts, account, false);
    if (options.kind !== KIND)
      throw new CurfewError('GRANT_KIND_UNSUPPORTED', { kind: 'sudo rule', why: 'Windows has no sudo rules' });
  }
}

const isSameMembership = (one: MembershipMark, other: MembershipMark): boolean =>
  one.sid === other.sid && one.groupSid === other.groupSid;

/** What NetLocalGroupDelMembers gives when there is no such membership any more. */
const GONE: ReadonlySet<number> = new Set([
  STATUS.ok,
  STATUS.notMember,
  STATUS.noSuchMember,
  STATUS.noSuchGroup,
  STATUS.groupNotFound,
]);

function refuse(account: string, why: string): never {
  throw new CurfewError('ACCOUNT_INELIGIBLE', { account, why });
}
