import type { GrantOptions } from '@curfew/shared';
import type { FoundRight, GrantOrder, RightCondition, RightRef } from '../../ports/privilege-host.js';

/** Whether a kind of right can be given on this machine, and what is wrong with it otherwise. */
export interface KindReport {
  readonly support: { readonly supported: true } | { readonly supported: false; readonly why: string };
  readonly findings: readonly string[];
}

/** Gives and removes one kind of right. What is the same for every kind, UnixHost does. */
export interface KindHost {
  readonly kind: GrantOptions['kind'];
  prepare(): Promise<KindReport>;
  list(): Promise<FoundRight[]>;
  /** What removes the right without the agent: an argument vector that succeeds once the right is gone. */
  removal(order: GrantOrder): readonly string[];
  /** Makes the right or replaces it, and reads it back. The account has been checked; an error leaves it to `remove`. */
  grant(order: GrantOrder): Promise<void>;
  inspect(right: RightRef): Promise<RightCondition>;
  /** Removes the right, and reads back that it is gone. */
  remove(right: RightRef | FoundRight): Promise<void>;
  /** Takes what the kind has installed away; its rights are gone. */
  uninstall(): Promise<void>;
}

/** The uid and session that a right's mark names. */
export const markOf = (right: RightRef | FoundRight): { readonly uid: number; readonly sessionId: string } => ({
  uid: ('account' in right ? right.account.uid : right.uid) ?? 0,
  sessionId: right.sessionId,
});
