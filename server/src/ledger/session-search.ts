import { sql, type RawBuilder } from 'kysely';
import type { LedgerReader, SessionMatch, SessionSearch } from './ledger.js';

/** The index knows runs of this many letters. */
const GRAM = 3;
/** Up to so many sessions are looked up one by one. */
const RARE = 3_000;

const NOTHING: SessionMatch = { condition: sql<boolean>`0`, isRare: true };

/** Finds by the trigram index of migration 0007; a shorter text is looked for in every session. */
export class SqliteSessionSearch implements SessionSearch {
  async match(db: LedgerReader, text: string, alsoEnded: boolean): Promise<SessionMatch> {
    // SQLite's texts end here; nothing that is stored holds one.
    if (text.includes('\0')) return NOTHING;
    if (Array.from(text).length < GRAM) return { condition: containsShort(text), isRare: false };
    const found = sql<{ rowid: number }>`select rowid from session_search where session_search match ${phrase(text)}
      and rowid >= ${alsoEnded ? 0 : await firstLive(db)}`;
    const { rows } = await sql<{ rowid: number }>`${found} limit ${RARE + 1}`.execute(db);
    const isRare = rows.length <= RARE;
    // A few are named: in a long past even they take long to find, and the page and its count would each look again. With
    // the sign SQLite only asks for each session whether it is among them (sqlite.org/optoverview.html, 2.3).
    const condition = isRare
      ? sql<boolean>`s.rowid in (select value from json_each(${JSON.stringify(rows.map(({ rowid }) => rowid))}))`
      : sql<boolean>`+s.rowid in (${found})`;
    return { condition, isRare };
  }
}

/** A text as FTS5 takes it for nothing but text (sqlite.org/fts5.html, 3.1). */
const phrase = (text: string): string => `"${text.replaceAll('"', '""')}"`;

/** The oldest row that is not over: how long the history is, costs nothing. The sum keeps SQLite off the table itself. */
async function firstLive(db: LedgerReader): Promise<number> {
  const { rows } = await sql<{ first: number }>`
    select coalesce(min(rowid + 0), 0) as first from session where state <> 'ended' and expires_at_ms > 0`.execute(db);
  return rows[0]?.first ?? 0;
}

/** One or two letters: LIKE takes ASCII's capital and small letters for the same, the others are spelled out. */
function containsShort(text: string): RawBuilder<boolean> {
  const patterns = spellings(text).map((spelling) => `%${spelling.replace(/[\\%_]/g, (sign) => `\\${sign}`)}%`);
  const has = (column: RawBuilder<unknown>): RawBuilder<unknown> =>
    sql`(${sql.join(
      patterns.map((pattern) => sql`${column} like ${pattern} escape '\\'`),
      sql` or `,
    )})`;
  return sql<boolean>`(
    s.user_id in (select id from app_user where ${has(sql`name`)})
    or s.device_id in (select id from device where ${has(sql`name`)})
    or s.resource_id in (select id from resource where ${has(sql`name`)})
    or ${has(sql`s.reason`)}
    or (${has(sql`s.account`)} and ${has(sql`json_extract(s.account, '$.name')`)}))`;
}

/** Every way to write a text with capital and small letters, ASCII's aside. */
function spellings(text: string): string[] {
  const letters = Array.from(text, (letter) =>
    letter < '\u0080'
      ? [letter]
      : [...new Set([letter, letter.toLowerCase(), letter.toUpperCase()])].filter(
          (one) => Array.from(one).length === 1,
        ),
  );
  return letters.reduce<string[]>(
    (begun, next) => begun.flatMap((start) => next.map((letter) => start + letter)),
    [''],
  );
}
