import { sql, type Kysely } from 'kysely';
import type { LedgerReader, SessionMatch, SessionSearch } from '../ledger.js';
import { SEARCHED_STAYS } from '../migrations/0007-search.js';

const NOTHING: SessionMatch = { condition: sql<boolean>`false`, isRare: true };

/** What stands between the texts of a session, so that two of them are not found as one: a sign that nobody types. */
const BETWEEN = 'chr(31)';

/** What a session is found by. */
const wordsOf = (session: string): string => `search_fold(concat_ws(${BETWEEN},
  (select name from app_user where id = ${session}.user_id), (select name from device where id = ${session}.device_id),
  (select name from resource where id = ${session}.resource_id), json_text(${session}.account, '$.name'),
  ${session}.reason))`;

/** Makes every session found that was written without its rules. */
export const SEARCH_ALL = `insert into session_search (session_id, words) select s.id, ${wordsOf('s')} from session s`;

const STATEMENTS = [
  // The letters of every script: what the database's own locale knows is not said.
  `do $how$ declare known text; begin
     select quote_ident(collname) into known from pg_collation where collname = 'und-x-icu';
     execute format('create function search_fold(given text) returns text immutable parallel safe language sql
       as ''select lower(given collate %s)''', coalesce(known, '"default"'));
   end $how$`,
  `create table session_search (session_id text primary key references session (id), words text not null)`,
  // Where the extension cannot be had, every session's words are looked through.
  `do $index$ begin
     create extension if not exists pg_trgm;
     create index session_search_by_words on session_search using gin (words gin_trgm_ops);
   exception when others then raise notice 'sessions are searched without an index: %', sqlerrm;
   end $index$`,
  `create function session_is_searched() returns trigger language plpgsql as $search$ begin
     insert into session_search (session_id, words) select new.id, ${wordsOf('new')}; return null; end $search$`,
  `create trigger session_is_searched after insert on session for each row execute function session_is_searched()`,
];

/** PostgreSQL's own form of migration 0007: what sessions are found by when people type a text. */
export const postgresSearchMigration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    for (const statement of [...STATEMENTS, ...SEARCHED_STAYS]) await sql.raw(statement).execute(db);
  },
};

/** Finds by one text for each session, in small letters. PostgreSQL sees by itself whether few have it. */
export class PostgresSessionSearch implements SessionSearch {
  match(_db: LedgerReader, text: string): Promise<SessionMatch> {
    // PostgreSQL's texts cannot hold it.
    if (text.includes('\0')) return Promise.resolve(NOTHING);
    const pattern = `%${text.replace(/[\\%_]/g, (sign) => `\\${sign}`)}%`;
    const condition = sql<boolean>`s.id in
      (select session_id from session_search where words like search_fold(${pattern}) escape '\\')`;
    return Promise.resolve({ condition, isRare: true });
  }
}
