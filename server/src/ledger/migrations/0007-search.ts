import { sql, type Kysely } from 'kysely';

/** What a session is found by. The place is where its right lives. */
const textOf = (session: string): string => `${session}.rowid,
  coalesce((select name from app_user where id = ${session}.user_id), ''),
  coalesce((select name from device where id = ${session}.device_id), '') || char(10)
    || coalesce((select name from resource where id = ${session}.resource_id), ''),
  coalesce(json_extract(${session}.account, '$.name'), ''), ${session}.reason`;

const neverChanges = (table: string, column: string): string =>
  `create trigger ${table}_${column}_never_changes before update of ${column} on ${table}
     when new.${column} is not old.${column} begin select raise(abort, '${table}_${column}_never_changes'); end`;

/**
 * The search is written once, with the session: what it was made of stays. A resource's name changes in its letters'
 * case at the most, which the search does not tell apart.
 */
export const SEARCHED_STAYS: readonly string[] = [
  ...['user_id', 'device_id', 'resource_id', 'account', 'reason'].map((column) => neverChanges('session', column)),
  neverChanges('app_user', 'name'),
  neverChanges('device', 'name'),
];

const statements = (): string[] => [
  // Every run of three letters, and which session has it where (sqlite.org/fts5.html, 4.3.4). The text itself is not
  // kept twice. A table with an index keeps its rowids when SQLite packs the file; a test holds it to that.
  `create virtual table session_search using fts5 (user_name, place, account, reason, content='', tokenize='trigram')`,
  `insert into session_search (rowid, user_name, place, account, reason) select ${textOf('session')} from session`,
  `create trigger session_is_searched after insert on session
     begin insert into session_search (rowid, user_name, place, account, reason) select ${textOf('new')}; end`,
  ...SEARCHED_STAYS,
];

/** What sessions are found by when people type a text. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements()) await sql.raw(statement).execute(db);
}
