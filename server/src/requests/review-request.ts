import { CurfewError } from '@curfew/shared';
import type { LedgerTransaction } from '../ledger/ledger.js';
import { callerActor, type Caller } from '../users/caller.js';
import { requestById, type RequestRecord } from './request-record.js';

/** Says afterwards whether a break-glass session was right. Errors: REVIEW_NOT_WAITING, SELF_APPROVAL. */
export async function reviewRequest(
  tx: LedgerTransaction,
  caller: Caller,
  request: RequestRecord,
  input: { readonly accepted: boolean; readonly reason: string },
  now: number,
): Promise<RequestRecord> {
  const { id } = request;
  if (request.user_id === caller.userId) throw new CurfewError('SELF_APPROVAL');
  if (request.review_state !== 'waiting') throw new CurfewError('REVIEW_NOT_WAITING', { id });
  await tx.db
    .insertInto('request_review')
    .values({
      request_id: id,
      user_id: caller.userId,
      accepted: Number(input.accepted),
      reviewed_by: caller.userName,
      comment: input.reason,
      at_ms: now,
    })
    .execute();
  const state = input.accepted ? 'accepted' : 'rejected';
  await tx.db.updateTable('access_request').set({ review_state: state }).where('id', '=', id).execute();
  tx.audit({
    type: 'request.reviewed',
    actor: callerActor(caller),
    subject: id,
    data: { accepted: input.accepted, reason: input.reason },
  });
  tx.changed('request', id, request.device_id);
  return requestById(tx.db, id);
}
