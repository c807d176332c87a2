import { CurfewError } from '@curfew/shared';
import type {
  FoundRight,
  GrantAccount,
  GrantOrder,
  HostCapabilities,
  PrivilegeHost,
  RightCondition,
  RightRef,
} from './privilege-host.js';

/** A machine that keeps its rights in memory. Passes the contract of PrivilegeHost. */
export class FakePrivilegeHost implements PrivilegeHost {
  readonly rights = new Map<string, { readonly order: GrantOrder; readonly altered: boolean }>();
  readonly removers = new Set<string>();

  /** `people` are the accounts that it knows; who has a reason there can never be elevated. */
  constructor(private readonly people: ReadonlyMap<number, GrantAccount & { readonly ineligibleReason: string }>) {}

  prepare(): Promise<HostCapabilities> {
    return Promise.resolve({
      kinds: { sudo_rule: { supported: true }, group_membership: { supported: true } },
      sudoVersion: 'Sudo version 1.9.13p3',
      sudoEnforcesEnd: true,
      independentRemover: 'systemd-timer',
      findings: [],
    });
  }

  list(): Promise<FoundRight[]> {
    const found = [...this.rights.values()].map(({ order }) => ({
      sessionId: order.sessionId,
      kind: order.options.kind,
      uid: order.account.uid,
    }));
    return Promise.resolve(found);
  }

  arm({ sessionId }: GrantOrder): Promise<void> {
    this.removers.add(sessionId);
    return Promise.resolve();
  }

  async grant(order: GrantOrder): Promise<void> {
    try {
      this.check(order);
      this.rights.set(order.sessionId, { order, altered: false });
    } catch (error) {
      await this.remove(order);
      throw error;
    }
  }

  inspect({ sessionId }: RightRef): Promise<RightCondition> {
    const right = this.rights.get(sessionId);
    return Promise.resolve(right === undefined ? 'absent' : right.altered ? 'altered' : 'live');
  }

  remove({ sessionId }: RightRef | FoundRight): Promise<void> {
    this.rights.delete(sessionId);
    return Promise.resolve();
  }

  armed(): Promise<readonly string[]> {
    return Promise.resolve([...this.removers]);
  }

  disarm(sessionId: string): Promise<void> {
    this.removers.delete(sessionId);
    return Promise.resolve();
  }

  uninstall(): Promise<void> {
    this.rights.clear();
    this.removers.clear();
    return Promise.resolve();
  }

  /** What somebody with an editor does. */
  alter(sessionId: string): void {
    const right = this.rights.get(sessionId);
    if (right !== undefined) this.rights.set(sessionId, { ...right, altered: true });
  }

  private check({ account, options }: GrantOrder): void {
    const known = this.people.get(account.uid ?? -1);
    if (known?.fingerprint !== account.fingerprint || known.name !== account.name)
      throw new CurfewError('ACCOUNT_CHANGED');
    if (known.ineligibleReason !== '')
      throw new CurfewError('ACCOUNT_INELIGIBLE', { account: account.name, why: known.ineligibleReason });
    const relative = options.commands.find(([program]) => program?.startsWith('/') !== true);
    if (relative !== undefined)
      throw new CurfewError('RULE_REJECTED', { detail: 'a command must be an absolute path' });
  }
}
