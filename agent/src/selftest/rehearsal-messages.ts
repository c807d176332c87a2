import type { LeaseKeySet } from '@curfew/shared';

/** What the selftest tells its own agent: first the terms, then whole desired states, as a server does. */
export type ToAgent =
  | { readonly kind: 'terms'; readonly deviceKeyHash: string; readonly leaseKeys: LeaseKeySet }
  | { readonly kind: 'desired'; readonly generation: number; readonly revokedEpoch: number; readonly leases: string[] };

/** What the selftest's own agent answers: first its nonce, then whole observed states. */
export type FromAgent =
  | { readonly kind: 'hello'; readonly nonce: string }
  | {
      readonly kind: 'observed';
      readonly generation: number;
      /** The rights that are held, each with its deadline on this boot's clock. */
      readonly held: readonly { readonly sessionId: string; readonly deadline: number }[];
      readonly refused: readonly { readonly sessionId: string; readonly code: string; readonly detail: string }[];
    };
