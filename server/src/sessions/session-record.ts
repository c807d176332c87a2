import type { GrantOptions } from '@curfew/shared';
import { sql, type Selectable } from 'kysely';
import type { LedgerReader } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';

/** An account as requests, sessions and leases name it. */
export interface AccountIdentity {
  readonly name: string;
  readonly uid: number;
  readonly fingerprint: string;
}

type SessionRow = Selectable<Tables['session']>;

/** A session with the names that people know things by. */
export type SessionRecord = Omit<SessionRow, 'account' | 'options'> & {
  readonly account: AccountIdentity;
  readonly options: GrantOptions;
  readonly user_name: string;
  readonly device_name: string;
  readonly device_last_seen_at_ms: number | null;
};

/** Sessions with their names, ready for conditions. */
export const selectSessions = (db: LedgerReader) =>
  db
    .selectFrom('session as s')
    .innerJoin('app_user as u', 'u.id', 's.user_id')
    .innerJoin('device as d', 'd.id', 's.device_id')
    .selectAll('s')
    .select(['u.name as user_name', 'd.name as device_name', 'd.last_seen_at_ms as device_last_seen_at_ms']);

type NamedRow = Awaited<ReturnType<ReturnType<typeof selectSessions>['executeTakeFirstOrThrow']>>;

export const sessionFromRow = (row: NamedRow): SessionRecord => ({
  ...row,
  account: JSON.parse(row.account) as AccountIdentity,
  options: JSON.parse(row.options) as GrantOptions,
});

/** The sessions of these ids, in the order of the ids. */
export async function sessionsById(db: LedgerReader, ids: readonly string[]): Promise<SessionRecord[]> {
  const found = new Map<string, SessionRecord>();
  for (let at = 0; at < ids.length; at += 10_000)
    for (const row of await selectSessions(db)
      .where('s.id', 'in', ids.slice(at, at + 10_000))
      .execute())
      found.set(row.id, sessionFromRow(row));
  return ids.flatMap((id) => found.get(id) ?? []);
}

/** Notes the move of sessions in their history; the caller updates the sessions themselves right after. */
export async function noteMoves(
  db: LedgerReader,
  ids: readonly string[],
  to: SessionRow['state'],
  atMs: number,
): Promise<void> {
  await db
    .insertInto('session_transition')
    .columns(['session_id', 'seq', 'prior_seq', 'prior_state', 'state', 'at_ms'])
    .expression((eb) =>
      eb
        .selectFrom('session')
        .select([
          'id',
          sql<number>`seq + 1`.as('seq'),
          'seq as prior_seq',
          'state as prior_state',
          sql<typeof to>`${to}`.as('state'),
          sql<number>`${atMs}`.as('at_ms'),
        ])
        .where('id', 'in', ids),
    )
    .execute();
}
