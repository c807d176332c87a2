import { CurfewError, requestMayMove, type GrantOptions, type RequestState } from '@curfew/shared';
import type { Selectable } from 'kysely';
import type { Actor } from '../audit/audit-entry.js';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';
import type { AccountIdentity } from '../sessions/session-record.js';

/** An access request with the names that people know things by. */
export type RequestRecord = Omit<Selectable<Tables['access_request']>, 'account' | 'options'> & {
  readonly account: AccountIdentity;
  readonly options: GrantOptions;
  readonly user_name: string;
  readonly device_name: string;
};

/** Requests with their names, ready for conditions. */
export const selectRequests = (db: LedgerReader) =>
  db
    .selectFrom('access_request as r')
    .innerJoin('app_user as u', 'u.id', 'r.user_id')
    .innerJoin('device as d', 'd.id', 'r.device_id')
    .selectAll('r')
    .select(['u.name as user_name', 'd.name as device_name']);

type NamedRow = Awaited<ReturnType<ReturnType<typeof selectRequests>['executeTakeFirstOrThrow']>>;

export const requestFromRow = (row: NamedRow): RequestRecord => ({
  ...row,
  account: JSON.parse(row.account) as AccountIdentity,
  options: JSON.parse(row.options) as GrantOptions,
});

export const requestById = async (db: LedgerReader, id: string): Promise<RequestRecord> =>
  requestFromRow(await selectRequests(db).where('r.id', '=', id).executeTakeFirstOrThrow());

/** Moves a request on: transition, row, audit event and change, all in the transaction. Errors: TRANSITION_ILLEGAL. */
export async function moveRequest(
  tx: LedgerTransaction,
  request: Pick<RequestRecord, 'id' | 'seq' | 'state' | 'device_id'>,
  to: RequestState,
  now: number,
  actor: Actor,
  patch: Partial<
    Pick<
      Tables['access_request'],
      'decided_at_ms' | 'decided_by' | 'decision_reason' | 'start_by_ms' | 'session_id' | 'duration_ms'
    >
  > = {},
): Promise<RequestRecord> {
  if (!requestMayMove(request.state, to))
    throw new CurfewError('TRANSITION_ILLEGAL', { what: 'request', from: request.state, to });
  const seq = request.seq + 1;
  await tx.db
    .insertInto('access_request_transition')
    .values({ request_id: request.id, seq, prior_seq: request.seq, prior_state: request.state, state: to, at_ms: now })
    .execute();
  await tx.db
    .updateTable('access_request')
    .set({ ...patch, state: to, seq })
    .where('id', '=', request.id)
    .execute();
  tx.audit({ type: `request.${to}`, actor, subject: request.id, data: { reason: patch.decision_reason ?? '' } });
  tx.changed('request', request.id, request.device_id);
  return requestById(tx.db, request.id);
}
