import { EndReason as ProtoEndReason, ObservedState } from '@curfew/proto';
import type { BootMs } from '@curfew/shared';
import type { Holder } from '../grants/holder.js';

/** Everything that the holder holds, and what has ended that the server may not know of. */
export function observedToProto({ snapshot, applied, refusalCode }: Holder, bootNow: BootMs): ObservedState {
  return ObservedState.fromPartial({
    generation: BigInt(applied.generation),
    // Before it has applied anything it speaks of the ledger that it knows: a refusal is of that one.
    incarnation: BigInt(applied.generation === 0 ? snapshot.incarnation : applied.incarnation),
    // What is being removed is still there until it has been read back as gone.
    held: snapshot.grants
      .filter(({ phase, madeAtMs }) => phase === 'held' || (phase === 'removing' && madeAtMs > 0))
      .map((grant) => ({
        sessionId: grant.sessionId,
        epoch: BigInt(grant.epoch),
        account: {
          name: grant.account.name,
          uid: grant.account.uid ?? undefined,
          sid: grant.account.sid,
          fingerprint: grant.account.fingerprint,
        },
        madeTime: new Date(grant.madeAtMs),
        remaining: { seconds: BigInt(Math.max(0, Math.floor((grant.deadline - bootNow) / 1000))), nanos: 0 },
      })),
    ended: snapshot.ended.map((ended) => ({
      sessionId: ended.sessionId,
      epoch: BigInt(ended.epoch),
      reason:
        (ProtoEndReason as unknown as Record<string, ProtoEndReason>)[ended.reason.toUpperCase()] ??
        ProtoEndReason.FAILED,
      code: ended.code,
      detail: ended.detail.slice(0, 500),
      endTime: new Date(ended.endedAtMs),
    })),
    refusalCode,
  });
}
