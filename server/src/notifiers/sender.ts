import type { Notice } from './notice.js';

/** How an attempt went. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly detail: string }
  /** This notice was not taken; others may be. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** Nothing can be taken now; `retryAfterMs` is what the other side asked for. */
  | { readonly kind: 'unreachable'; readonly detail: string; readonly retryAfterMs?: number };

/** Takes notices to one place. Senders know nothing of retries. */
export interface Sender {
  /** Whether all notices go in the order of the audit log, several at a time; else each goes alone and may overtake. */
  readonly ordered: boolean;
  /**
   * Sends once, all or (as far as can be known) none of them: several where `ordered`, else one. Stops when the signal
   * says so. What it throws counts as an outcome too: of this notice, or where `ordered` of the place.
   */
  send(notices: readonly Notice[], signal: AbortSignal): Promise<Outcome>;
}

export const delivered = (detail: string): Outcome => ({ kind: 'delivered', detail });
export const refused = (detail: string): Outcome => ({ kind: 'refused', detail });
export const unreachable = (detail: string): Outcome => ({ kind: 'unreachable', detail });
