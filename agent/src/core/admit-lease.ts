import { bootMs, MINUTE, type BootMs, type ErrorCode, type InstantMs, type LeaseClaims } from '@curfew/shared';

/** What the agent knows when a lease arrives. */
export interface AdmissionFacts {
  readonly deviceKeyHash: string;
  /** The incarnation that the desired state names and the agent accepts. */
  readonly incarnation: number;
  /** When each nonce of this process was sent, on this boot's clock. */
  readonly nonces: ReadonlyMap<string, BootMs>;
  readonly floorEpoch: number;
  /** Whether the right is held already: then the floor does not matter, it does not come back, it stays. */
  readonly held: boolean;
  readonly latestSignedMs: number;
  readonly now: InstantMs;
  readonly bootNow: BootMs;
}

/** Either when the right must be gone on this boot's clock, or why there is none. */
export type Admission =
  { readonly ok: true; readonly deadline: BootMs } | { readonly ok: false; readonly code: ErrorCode };

/** How far the wall clock may be behind the server's before nothing is granted. */
export const CLOCK_TOLERANCE = 2 * MINUTE;

/** Every check of a signed lease that needs no operating system. The signature has been checked before. */
export function admitLease(lease: LeaseClaims, facts: AdmissionFacts): Admission {
  const refuse = (code: ErrorCode): Admission => ({ ok: false, code });
  if (lease.deviceKeyHash !== facts.deviceKeyHash) return refuse('LEASE_WRONG_DEVICE');
  if (lease.incarnation !== facts.incarnation) return refuse('LEASE_WRONG_INCARNATION');
  const sentAt = facts.nonces.get(lease.nonce);
  if (sentAt === undefined) return refuse('LEASE_NONCE_UNKNOWN');
  if (!facts.held && lease.epoch <= facts.floorEpoch) return refuse('LEASE_REPLAYED');
  // Both ends of the duration are before the server's answer was known, so delays shorten, never lengthen.
  const deadline = bootMs(sentAt + lease.durationMs);
  if (deadline <= facts.bootNow || lease.wallEndMs <= facts.now) return refuse('LEASE_EXPIRED');
  if (facts.now < Math.max(facts.latestSignedMs, lease.issuedAtMs) - CLOCK_TOLERANCE)
    return refuse('LEASE_CLOCK_BEHIND');
  return { ok: true, deadline };
}
