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
import type { GroupHost } from './group-host.js';
import type { IndependentRemover } from './independent-remover.js';
import type { KindHost } from './kind-host.js';
import { removeTickets } from './sudo-tickets.js';
import type { SudoersHost } from './sudoers-host.js';

export interface LinuxHostParts {
  readonly sudoers: SudoersHost;
  readonly groups: GroupHost;
  readonly accounts: AccountDirectory;
  readonly remover: IndependentRemover;
}

/** Both kinds of right on a Linux machine, each by its own host; neither knows of the other. */
export class LinuxHost implements PrivilegeHost {
  private readonly kinds: readonly KindHost[];

  constructor(private readonly parts: LinuxHostParts) {
    this.kinds = [parts.sudoers, parts.groups];
  }

  async prepare(): Promise<HostCapabilities> {
    const { sudoers, groups, remover } = this.parts;
    const [rules, memberships] = [await sudoers.prepare(), await groups.prepare()];
    return {
      kinds: { sudo_rule: rules.support, group_membership: memberships.support },
      sudoVersion: sudoers.version,
      sudoEnforcesEnd: sudoers.enforcesEnd,
      independentRemover: remover.kind,
      findings: [...rules.findings, ...memberships.findings],
    };
  }

  async list(): Promise<FoundRight[]> {
    return (await Promise.all(this.kinds.map((kind) => kind.list()))).flat();
  }

  arm(order: GrantOrder): Promise<void> {
    return this.parts.remover.arm(order, this.host(order).removal(order));
  }

  async grant(order: GrantOrder): Promise<void> {
    try {
      await this.checkAccount(order);
      await removeTickets(order.account.uid, order.account.name);
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
    if ('account' in right) await removeTickets(right.account.uid, right.account.name);
    else await removeTickets(right.uid, undefined);
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
    for (const kind of this.kinds) await kind.uninstall();
  }

  private host(right: RightRef | FoundRight): KindHost {
    const wanted = 'kind' in right ? right.kind : right.options.kind;
    const host = this.kinds.find(({ kind }) => kind === wanted);
    if (host === undefined)
      throw new CurfewError('GRANT_KIND_UNSUPPORTED', { kind: wanted, why: 'this agent does not know it' });
    return host;
  }

  private async checkAccount({ account: named }: GrantOrder): Promise<void> {
    const account = named.uid === null ? undefined : await this.parts.accounts.byUid(named.uid);
    if (account?.fingerprint !== named.fingerprint || account.name !== named.name)
      throw new CurfewError('ACCOUNT_CHANGED');
    if (account.ineligibleReason !== '')
      throw new CurfewError('ACCOUNT_INELIGIBLE', { account: account.name, why: account.ineligibleReason });
  }
}
