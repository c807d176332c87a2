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
  /** As the device's facts name it, such as 'PLATFORM_LINUX'; '' when unknown. */
  readonly device_platform: string;
};

/** Sessions with their names, ready for conditions. */
export const selectSessions = (db: LedgerReader) =>
  db
    .selectFrom('session as s')
    .innerJoin('app_user as u', 'u.id', 's.user_id')
    .innerJoin('device as d', 'd.id', 's.device_id')
    .selectAll('s')
    .select([
      'u.name as user_name',
      'd.name as device_name',
      'd.last_seen_at_ms as device_last_seen_at_ms',
      'd.platform as device_platform',
    ]);

type NamedRow = Awaited<ReturnType<ReturnType<typeof selectSessions>['executeTakeFirstOrThrow']>>;

export const sessionFromRow = (row: NamedRow): SessionRecord => ({
  ...row,
  account: JSON.parse(row.account) as AccountIdentity,
  options: JSON.parse(row.options) as GrantOptions,
});

/** How many ids one statement takes; SQLite takes 32,766 values. */
const CHUNK = 10_000;

/** The sessions of these ids, in the order of the ids. */
export async function sessionsById(db: LedgerReader, ids: readonly string[]): Promise<SessionRecord[]> {
  const found = new Map<string, SessionRecord>();
  for (let at = 0; at < ids.length; at += CHUNK)
    for (const row of await selectSessions(db)
      .where('s.id', 'in', ids.slice(at, at + CHUNK))
      .execute())
      found.set(row.id, sessionFromRow(row));
  return ids.flatMap((id) => found.get(id) ?? []);
}

/** Those of the sessions that are over. */
export async function endedAmong(db: LedgerReader, ids: readonly string[]): Promise<string[]> {
  const ended: string[] = [];
  for (let at = 0; at < ids.length; at += CHUNK) {
    const query = db.selectFrom('session').select('id').where('state', '=', 'ended');
    for (const { id } of await query.where('id', 'in', ids.slice(at, at + CHUNK)).execute()) ended.push(id);
  }
  return ended;
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
