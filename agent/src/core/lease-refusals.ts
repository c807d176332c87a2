import type { ErrorCode } from '@curfew/shared';

/** Refusals that tell of a forgery, a replay or a mix-up: a server of ours would not have sent such a lease to this device. */
const UNSOUND_REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'LEASE_SIGNATURE_INVALID',
  'LEASE_MALFORMED',
  'LEASE_WRONG_DEVICE',
  'LEASE_WRONG_INCARNATION',
  'LEASE_NONCE_UNKNOWN',
  'LEASE_REPLAYED',
]);

/** Those of the codes of refusals that a sound server would not have brought about. */
export const unsoundAmong = (...codes: readonly (string | undefined)[]): ErrorCode[] =>
  [...UNSOUND_REFUSALS].filter((code) => codes.includes(code));

/** How many leases were refused, by code. */
export function countRefusals(codes: readonly ErrorCode[]): ReadonlyMap<ErrorCode, number> {
  const counts = new Map<ErrorCode, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  return counts;
}
