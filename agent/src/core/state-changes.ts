import type { InstantMs } from '@curfew/shared';
import type { AgentState, EndedRecord, GrantRecord } from '../ports/state-file.js';
import { CLOCK_TOLERANCE } from './admit-lease.js';

/** Puts a right's next record in the place of the one that is there; nothing happens when it is there no longer. */
export const replaceGrant = (state: AgentState, old: GrantRecord, next: GrantRecord): AgentState => ({
  ...state,
  grants: state.grants.map((grant) => (grant === old ? next : grant)),
});

export const withoutGrant = (state: AgentState, id: string): AgentState => ({
  ...state,
  grants: state.grants.filter(({ sessionId }) => sessionId !== id),
});

/** What is kept of a right, or of a lease of which none was made, once it is over. */
export const endedRecord = (
  { sessionId, epoch, account: { uid, sid } }: Pick<GrantRecord, 'sessionId' | 'epoch' | 'account'>,
  end: Pick<EndedRecord, 'reason' | 'code' | 'detail'>,
  endedAtMs: number,
): EndedRecord => ({ sessionId, epoch, uid, sid, ...end, endedAtMs });

/** Adds an end, in the place of an earlier one of the same session. */
export const withEnded = (state: AgentState, ended: EndedRecord): AgentState => ({
  ...state,
  ended: [...state.ended.filter(({ sessionId }) => sessionId !== ended.sessionId), ended],
});

/**
 * The floor after a desired state: what is at or below it never comes back. `gone` are the rights that it ends, `wanted`
 * the sessions that it still names. A new incarnation counts from the start. What was signed by a clock that is ahead is refused
 * for itself, and not remembered: one server's wrong moment would keep everything out until that time has come.
 */
export function withFloorOf(
  state: AgentState,
  desired: {
    readonly incarnation: number;
    readonly generation: number;
    readonly revokedEpoch: number;
    readonly checkpoint: string;
    readonly leases: readonly { readonly issuedAtMs: number }[];
  },
  gone: readonly GrantRecord[],
  wanted: ReadonlySet<string>,
  now: InstantMs,
): AgentState {
  const signed = desired.leases.map(({ issuedAtMs }) => issuedAtMs).filter((at) => at <= now + CLOCK_TOLERANCE);
  const fresh = desired.incarnation > state.incarnation;
  const epochs = fresh ? [0] : [state.floorEpoch, ...gone.map(({ epoch }) => epoch)];
  return {
    ...state,
    incarnation: desired.incarnation,
    floorGeneration: desired.generation,
    floorEpoch: Math.max(desired.revokedEpoch, ...epochs),
    desiredCheckpoint: desired.checkpoint || state.desiredCheckpoint,
    latestSignedMs: Math.max(state.latestSignedMs, ...signed),
    ended: state.ended.filter(({ sessionId }) => wanted.has(sessionId)),
  };
}
