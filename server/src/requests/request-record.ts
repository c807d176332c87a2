import { CurfewError, requestMayMove, type GrantOptions, type RequestState } from '@curfew/shared';
import type { Selectable } from 'kysely';
import type { Actor } from '../audit/audit-entry.js';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';
import { specOfVersion } from '../policies/policy-ledger.js';
import type { PolicySpec } from '../policies/policy-spec.js';
import type { AccountIdentity } from '../sessions/session-record.js';

/** An access request with the names that people know things by. */
export type NamedRequest = Omit<
  Selectable<Tables['access_request']>,
  'account' | 'options' | 'device_id' | 'resource_id'
> & {
  /** '' for a resource that is on no device. */
  readonly device_id: string;
  /** '' for admin rights on a device. */
  readonly resource_id: string;
  readonly resource_name: string;
  readonly account: AccountIdentity;
  readonly options: GrantOptions;
  readonly user_name: string;
  readonly device_name: string;
};

type DecisionRecord = Selectable<Tables['request_decision']>;
type ReviewRecord = Selectable<Tables['request_review']>;

/** An access request with everything that is known about it. */
export interface RequestRecord extends NamedRequest {
  /** What its policy said in the version that it was made under. */
  readonly terms: PolicySpec;
  /** In the order in which they were made. */
  readonly decisions: readonly DecisionRecord[];
  readonly review: ReviewRecord | undefined;
}

/** Requests with their names, ready for conditions. */
export const selectRequests = (db: LedgerReader) =>
  db
    .selectFrom('access_request as r')
    .innerJoin('app_user as u', 'u.id', 'r.user_id')
    .leftJoin('device as d', 'd.id', 'r.device_id')
    .leftJoin('resource as e', 'e.id', 'r.resource_id')
    .selectAll('r')
    .select(['u.name as user_name', 'd.name as device_name', 'e.name as resource_name']);

type NamedRow = Awaited<ReturnType<ReturnType<typeof selectRequests>['executeTakeFirstOrThrow']>>;

export const requestFromRow = (row: NamedRow): NamedRequest => ({
  ...row,
  device_id: row.device_id ?? '',
  device_name: row.device_name ?? '',
  resource_id: row.resource_id ?? '',
  resource_name: row.resource_name ?? '',
  account: JSON.parse(row.account) as AccountIdentity,
  options: JSON.parse(row.options) as GrantOptions,
});

/** Adds to a page of requests what stands in other tables. */
export async function requestRecords(db: LedgerReader, rows: readonly NamedRow[]): Promise<RequestRecord[]> {
  const ids = rows.map(({ id }) => id);
  if (ids.length === 0) return [];
  const decisions = new Map<string, DecisionRecord[]>();
  for (const decision of await db
    .selectFrom('request_decision')
    .selectAll()
    .where('request_id', 'in', ids)
    .orderBy('request_id')
    .orderBy('seq')
    .execute())
    decisions.set(decision.request_id, [...(decisions.get(decision.request_id) ?? []), decision]);
  const reviews = await db.selectFrom('request_review').selectAll().where('request_id', 'in', ids).execute();
  const reviewOf = new Map(reviews.map((review) => [review.request_id, review]));
  const terms = new Map<string, PolicySpec>();
  const records: RequestRecord[] = [];
  for (const row of rows) {
    const key = `${row.policy_name} ${row.policy_version}`;
    const spec = terms.get(key) ?? (await specOfVersion(db, row.policy_name, row.policy_version));
    terms.set(key, spec);
    const [made, review] = [decisions.get(row.id) ?? [], reviewOf.get(row.id)];
    records.push({ ...requestFromRow(row), terms: spec, decisions: made, review });
  }
  return records;
}

export async function requestById(db: LedgerReader, id: string): Promise<RequestRecord> {
  const [record] = await requestRecords(db, [
    await selectRequests(db).where('r.id', '=', id).executeTakeFirstOrThrow(),
  ]);
  if (record === undefined) throw new Error('a request that was just read is gone');
  return record;
}

/** Moves a request on: transition, row, audit event and change, all in the transaction. Errors: TRANSITION_ILLEGAL. */
export async function moveRequest(
  tx: LedgerTransaction,
  request: Pick<NamedRequest, 'id' | 'seq' | 'state' | 'device_id'>,
  to: RequestState,
  now: number,
  actor: Actor,
  patch: Partial<
    Pick<
      Tables['access_request'],
      'decided_at_ms' | 'decided_by' | 'decision_reason' | 'start_by_ms' | 'session_id' | 'duration_ms'
    > & { readonly review_state: 'waiting' }
  > = {},
): Promise<RequestRecord> {
  if (!requestMayMove(request.state, to))
    throw new CurfewError('TRANSITION_ILLEGAL', { what: 'request', from: request.state, to });
  const seq = request.seq + 1;
  await tx.db
    .insertInto('access_request_transition')
    .values({ request_id: request.id, seq, prior_seq: request.seq, prior_state: request.state, state: to, at_ms: now })
    .execute();
  // What was never started leaves nothing to review.
  const review = to === 'cancelled' || to === 'lapsed' ? ({ review_state: '' } as const) : {};
  await tx.db
    .updateTable('access_request')
    .set({ ...patch, ...review, state: to, seq })
    .where('id', '=', request.id)
    .execute();
  tx.audit({ type: `request.${to}`, actor, subject: request.id, data: { reason: patch.decision_reason ?? '' } });
  tx.changed('request', request.id, request.device_id);
  return requestById(tx.db, request.id);
}
