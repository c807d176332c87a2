/** Where a session stands. The order is the order of life. */
export const SESSION_STATES = ['starting', 'active', 'ending', 'ended'] as const;
export type SessionState = (typeof SESSION_STATES)[number];

/** Every legal move, `null` being 'did not exist'. SQL, proto and the diagram in ARCHITECTURE.md are held against it. */
export const SESSION_MOVES: readonly (readonly [from: SessionState | null, to: SessionState])[] = [
  [null, 'starting'],
  ['starting', 'active'],
  ['starting', 'ending'],
  ['starting', 'ended'],
  ['active', 'ending'],
  ['ending', 'ended'],
];

/** Why a session ended. The list is closed. */
export const END_REASONS = [
  'expired',
  'revoked',
  'ended_by_user',
  'device_removed',
  'account_removed',
  'refused_by_device',
  'tampered',
  'failed',
] as const;
export type EndReason = (typeof END_REASONS)[number];

export const SESSION_KINDS = ['device_admin', 'timed_access'] as const;
export type SessionKind = (typeof SESSION_KINDS)[number];

/** What an operator can do to a session in a state. The console and the server ask the same table. */
export const sessionCan = {
  revoke: (state: SessionState): boolean => state === 'starting' || state === 'active',
  extend: (state: SessionState): boolean => state === 'starting' || state === 'active',
};
