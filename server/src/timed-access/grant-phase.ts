/**
 * How far a session of a resource has come there. `finding`: nothing was done. `adding`: from here on what is there is
 * ours, whether an answer has come or not. `held`: the resource has confirmed it. `gone`: it has confirmed the end, or
 * there was nothing to end.
 */
export const GRANT_PHASES = ['finding', 'adding', 'held', 'gone'] as const;
export type GrantPhase = (typeof GRANT_PHASES)[number];

/** How a resource differs from the ledger. */
export const DRIFT_KINDS = ['removed_by_hand', 'added_by_hand', 'back_after_end'] as const;
export type DriftKind = (typeof DRIFT_KINDS)[number];
