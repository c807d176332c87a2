import { CurfewError } from '@curfew/shared';
import type { AccountDirectory } from '../../ports/account-directory.js';
import type {
  FoundRight,
  GrantOrder,
  HostCapabilities,
  PrivilegeHost,
  RightCondition,
  RightRef,
} from '../../ports/privilege-host.js';
import type { ProcessFolder } from '../../processes/process-folder.js';
import { assertLeased } from '../leased-account.js';
import type { IndependentRemover } from './independent-remover.js';
import type { KindHost } from './kind-host.js';
import { removeTickets } from './sudo-tickets.js';

export interface UnixHostParts {
  readonly rules: KindHost & { readonly version: string; readonly enforcesEnd: boolean };
  readonly groups: KindHost;
  readonly accounts: AccountDirectory;
  readonly remover: IndependentRemover;
  /** Follows what sessions run; undefined for an agent whose sessions run nothing. */
  readonly processes: FollowedProcesses | undefined;
}

/** Where sessions whose processes are followed are written down, and the moment by which processes are told apart. */
interface FollowedProcesses {
  readonly folder: ProcessFolder;
  readonly ticksNow: () => number;
}

/** Both kinds of right on a Unix, each by its own host; neither knows of the other. */
export class UnixHost implements PrivilegeHost {
  private readonly kinds: readonly KindHost[];
  /** Why the processes of sessions are not followed, by the session. */
  private readonly unfollowed = new Map<string, string>();
  /** What was last asked of the remover of a session, until that is done. */
  private readonly remover = new Map<string, Promise<void>>();

  constructor(private readonly parts: UnixHostParts) {
    this.kinds = [parts.rules, parts.groups];
  }

  async prepare(): Promise<HostCapabilities> {
    const { rules: sudo, groups, remover } = this.parts;
    const [rules, memberships] = [await sudo.prepare(), await groups.prepare()];
    return {
      kinds: { sudo_rule: rules.support, group_membership: memberships.support },
      sudoVersion: sudo.version,
      sudoEnforcesEnd: sudo.enforcesEnd,
      independentRemover: remover.kind,
      findings: [...rules.findings, ...memberships.findings],
    };
  }

  troubles(): readonly string[] {
    return [...this.unfollowed].map(
      ([sessionId, why]) => `What the session ${sessionId} runs is not followed, and not ended with it: ${why}.`,
    );
  }

  async list(): Promise<FoundRight[]> {
    return (await Promise.all(this.kinds.map((kind) => kind.list()))).flat();
  }

  arm(order: GrantOrder): Promise<void> {
    const removal = this.host(order).removal(order);
    return this.inTurn(order.sessionId, () => this.parts.remover.arm(order, removal));
  }

  async grant(order: GrantOrder): Promise<void> {
    try {
      await assertLeased(this.parts.accounts, order.account, true);
      await removeTickets(order.account.uid, order.account.name);
      await this.follow(order);
      await this.host(order).grant(order);
    } catch (error) {
      await this.remove(order);
      throw error;
    }
  }

  inspect(right: RightRef): Promise<RightCondition> {
    return this.host(right).inspect(right);
  }

  async remove(right: RightRef | FoundRight): Promise<void> {
    await this.host(right).remove(right);
    const { uid, name } = 'account' in right ? right.account : { uid: right.uid, name: undefined };
    await Promise.all([this.parts.processes?.folder.end(right.sessionId), removeTickets(uid, name)]);
    this.unfollowed.delete(right.sessionId);
  }

  armed(): Promise<readonly string[]> {
    return this.parts.remover.armed();
  }

  disarm(sessionId: string): Promise<void> {
    return this.inTurn(sessionId, () => this.parts.remover.disarm(sessionId));
  }

  async uninstall(): Promise<void> {
    for (const right of await this.list()) {
      await this.remove(right);
      await this.disarm(right.sessionId);
    }
    for (const kind of this.kinds) await kind.uninstall();
    await this.parts.processes?.folder.remove();
  }

  /** One after the other, as they were asked for: each takes away what the one before has put there, and the last one counts. */
  private inTurn(sessionId: string, work: () => Promise<void>): Promise<void> {
    const before = this.remover.get(sessionId) ?? Promise.resolve();
    const done = before.then(work, work).finally(() => {
      if (this.remover.get(sessionId) === done) this.remover.delete(sessionId);
    });
    this.remover.set(sessionId, done);
    return done;
  }

  /** A session whose processes cannot be followed is given all the same: they are what it leaves, not what it is. */
  private async follow({
    sessionId,
    account: { uid },
    options,
    keepProcesses: keep,
    recording,
  }: GrantOrder): Promise<void> {
    const { processes } = this.parts;
    if (processes === undefined || uid === null || options.kind !== 'sudo_rule') return;
    const session = {
      sessionId,
      uid,
      since: processes.ticksNow(),
      keep,
      ...(recording !== undefined && { recording }),
    };
    try {
      // The first session may come before the follower's folder is there.
      await processes.folder.prepare();
      await processes.folder.begin(session);
    } catch (error) {
      const file = processes.folder.liveFile(sessionId);
      // Nobody would record it, and sudo would not know.
      if (recording?.required === true)
        throw new CurfewError('DEVICE_STORAGE_FAILED', { file, detail: String(error) }, { cause: error });
      this.unfollowed.set(sessionId, String(error));
    }
  }

  private host(right: RightRef | FoundRight): KindHost {
    const wanted = 'kind' in right ? right.kind : right.options.kind;
    const host = this.kinds.find(({ kind }) => kind === wanted);
    if (host === undefined)
      throw new CurfewError('GRANT_KIND_UNSUPPORTED', { kind: wanted, why: 'this agent does not know it' });
    return host;
  }
}
