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
import type { PowerEnding } from './power-ending.js';
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
  async remove({ sessionId }: RightRef | FoundRight): Promise<void> {
    const { api, marks, ending } = this.parts;
    const mark = await marks.read(sessionId);
    if (mark === undefined) return;
    if (!(await this.isSharedMembership(mark))) {
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
    for (const right of await this.list()) {
      await this.remove(right);
      await this.disarm(right.sessionId);
    }
    await this.parts.remover.clear();
    await this.parts.marks.clear();
    await this.parts.ending.clear();
  }

  /** Puts the account into the group under a mark, and reads it back. */
  private async join(order: GrantOrder): Promise<void> {
    const { api, groups, marks, bootId } = this.parts;
    const { sessionId, account, options, keepProcesses } = order;
    const group = await groups.ofLease(options.group);
    const earlier = await marks.read(sessionId);
    const isOwn = earlier?.groupSid === group.sid && earlier.sid === account.sid;
    if (earlier !== undefined && !isOwn) await this.remove(order);
    const mark: MembershipMark = {
      sessionId,
      bootId: bootId(),
      sid: account.sid,
      name: account.name,
      groupSid: group.sid,
      groupName: group.name,
      keepProcesses,
    };
    const isGiven = isOwn || (await this.isSharedMembership(mark));
    if (!isGiven) await this.assertStranger(order, group);
    await marks.write(mark);
    const status = await api.add(group.name, account.sid);
    if (status === STATUS.alreadyMember && !isGiven) {
      // Somebody else was faster: what they gave is not for Curfew to take.
      await marks.remove(sessionId);
      refuse(account.name, `it has become a member of ${group.name} without this session`);
    }
    if (status !== STATUS.ok && status !== STATUS.alreadyMember)
      throw new CurfewError('GRANT_NOT_EFFECTIVE', { detail: `NetLocalGroupAddMembers gave ${status}` });
    if (!(await this.isMember(mark)))
      throw new CurfewError('GRANT_NOT_EFFECTIVE', { detail: `${group.name} does not hold the account` });
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

  /** Whether another session of the account holds the same membership: then it stays. */
  private async isSharedMembership({ sessionId, sid, groupSid }: MembershipMark): Promise<boolean> {
    const others = await this.parts.marks.list();
    return others.some((other) => other.sessionId !== sessionId && other.sid === sid && other.groupSid === groupSid);
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
