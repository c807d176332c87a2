import type { SessionState } from '@curfew/shared';
import type { GrantPhase } from './grant-phase.js';

/** What there is to do for a session at its resource. */
export type Step =
  /** Find the person, look whether they have it already, note the intent, add. */
  | 'find'
  /** Add: the intent is noted, so what is there is ours. */
  | 'add'
  /** Tell the resource of another end. */
  | 'extend'
  | 'remove'
  /** Nothing was done there, so it is over. */
  | 'close'
  /** Ledger and resource agree. */
  | 'rest'
  /** Not begun any more, since its time is over or its connector is disabled. */
  | 'refuse';

export interface GrantFacts {
  readonly state: SessionState;
  readonly phase: GrantPhase;
  readonly expiresAtMs: number;
  /** What the resource was told at last; null before. */
  readonly untilMs: number | null;
  readonly connectorDisabled: boolean;
}

/** Decides what to do, from what the ledger says and nothing else: the same after a crash at any moment. */
export function nextStep(grant: GrantFacts): Step {
  const { state, phase } = grant;
  if (state === 'ended') return 'rest';
  if (state === 'ending') return phase === 'adding' || phase === 'held' ? 'remove' : 'close';
  if (state === 'active') return phase === 'held' && grant.untilMs === grant.expiresAtMs ? 'rest' : 'extend';
  if (grant.connectorDisabled) return 'refuse';
  return phase === 'finding' ? 'find' : 'add';
}
