import type { GrantOrder } from '../../ports/privilege-host.js';

/** What removes a right at its deadline when the agent cannot. */
export interface IndependentRemover {
  readonly kind: 'systemd-timer' | 'watchdog-process';
  /**
   * Has a program run soon after the deadline, again and again until it succeeds. Replaces an earlier arming of the
   * session, which stays in force until the new one is. Errors: REMOVER_UNAVAILABLE.
   */
  arm(order: Pick<GrantOrder, 'sessionId' | 'deadline' | 'wallEnd'>, argv: readonly string[]): Promise<void>;
  /** The sessions for which something is armed, also by an earlier process. */
  armed(): Promise<readonly string[]>;
  disarm(sessionId: string): Promise<void>;
}

/** How much later than the agent the remover acts, so that the two do not race while the agent lives. */
export const GRACE_SECONDS = 1;
