import { sql } from 'kysely';
import type { LedgerTransaction } from '../ledger/ledger.js';
import type { EndDecision, LiveSelection } from '../sessions/end-sessions.js';
import { moveRequest, requestFromRow, selectRequests, type RequestRecord } from './request-record.js';

/** Whose word it is, and what is said with it. */
export type TakenBack = Pick<EndDecision, 'by' | 'actor' | 'detail'>;

/** Takes an approval back that nobody has started: the request is cancelled, and its last word is who did that and why. */
export function takeBack(
  tx: LedgerTransaction,
  request: Parameters<typeof moveRequest>[1],
  now: number,
  { by, actor, detail }: TakenBack,
): Promise<RequestRecord> {
  const word = { decided_at_ms: now, decided_by: by, decision_reason: detail };
  return moveRequest(tx, request, 'cancelled', now, actor, word);
}

/** Takes back what could be started right after a revoke of the same selection. */
export async function takeBackApproved(
  tx: LedgerTransaction,
  now: number,
  which: Extract<LiveSelection, { userId: string } | { deviceId: string } | { everything: true }>,
  word: TakenBack,
): Promise<void> {
  let approved = selectRequests(tx.db).where('r.state', '=', 'approved');
  if ('userId' in which) approved = approved.where('r.user_id', '=', which.userId);
  // Few are approved at a time; a device has had many requests. So its index is not to be used.
  if ('deviceId' in which) approved = approved.where(sql<string>`coalesce(r.device_id, '')`, '=', which.deviceId);
  for (const row of await approved.execute()) await takeBack(tx, requestFromRow(row), now, word);
}
