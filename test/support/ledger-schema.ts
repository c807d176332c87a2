import type { Ledger, LedgerReader } from '@curfew/server/parts';
import { sql } from 'kysely';

/** What a ledger's schema says, in the same words for each database. */
export interface LedgerSchema {
  /** Each column with its table, and whether it may be null. */
  readonly columns: readonly string[];
  /** Which columns refer to which. */
  readonly references: readonly string[];
  /** The names of constraints, of rules that triggers keep, and of indexes that people have named. */
  readonly rules: readonly string[];
  /** Which states may follow which. */
  readonly moves: readonly string[];
}

/** Tables that only one kind of ledger has: its search, its probe, and what several servers tell each other. */
const OWN = /^(sqlite_|storage_probe|session_search|server_secret|replica|device_link)/;

const column = async (db: LedgerReader, query: string): Promise<string[]> => {
  const { rows } = await sql.raw<{ text: string }>(query).execute(db);
  return [...new Set(rows.map(({ text }) => text))].sort();
};

const MOVES = `select 'session ' || prior_state || ' ' || state as text from session_state_allowed
  union all select 'request ' || prior_state || ' ' || state from request_state_allowed`;

async function columnsOf(db: LedgerReader, keys: readonly string[] = []): Promise<string[]> {
  const tables = (await db.introspection.getTables()).filter(({ name }) => !OWN.test(name));
  return (
    tables
      .flatMap((table) =>
        table.columns.map(({ name, isNullable, hasDefaultValue }) => {
          // SQLite lets a primary key of text be null, and nothing is ever written so.
          const optional = isNullable && !keys.includes(`${table.name}.${name}`) ? 'may be null' : '';
          return `${table.name}.${name} ${optional} ${hasDefaultValue && name !== 'revision' ? 'has a default' : ''}`.trim();
        }),
      )
      // Generated, of which SQLite does not tell here.
      .filter((text) => !text.startsWith('device.platform'))
      .sort()
  );
}

/** Of a ledger on SQLite. */
export const sqliteSchema = (ledger: Ledger): Promise<LedgerSchema> =>
  ledger.read(async (db) => {
    const texts = await column(db, `select name || char(10) || sql as text from sqlite_master where sql is not null`);
    const rules = texts.flatMap((text) => {
      const [name = ''] = text.split('\n');
      if (OWN.test(name)) return [];
      const named = [...text.matchAll(/constraint (\w+) |raise\(abort, '(\w+)'\)/g)].map(([, a, b]) => a ?? b ?? '');
      return /^create (unique )?index/im.test(text) ? [name, ...named] : named;
    });
    return {
      columns: await columnsOf(
        db,
        await column(
          db,
          `select m.name || '.' || t.name as text from sqlite_master m, pragma_table_info(m.name) t where t.pk > 0`,
        ),
      ),
      references: await column(
        db,
        `select m.name || '.' || f."from" || ' ' || f."table" || '.' || f."to" || ' ' || lower(f.on_delete) as text
           from sqlite_master m, pragma_foreign_key_list(m.name) f where m.type = 'table'`,
      ),
      rules: [...new Set(rules)].sort(),
      moves: await column(db, MOVES),
    };
  });

/** Of a ledger on PostgreSQL; of its rules, those that the other one has too. */
export const postgresSchema = (ledger: Ledger, known: readonly string[]): Promise<LedgerSchema> =>
  ledger.read(async (db) => {
    const names = await column(
      db,
      `select conname::text as text from pg_constraint union select indexname::text from pg_indexes
         union select (regexp_matches(prosrc, 'constraint = ''(\\w+)''', 'g'))[1] from pg_proc p
           join pg_trigger t on t.tgfoid = p.oid`,
    );
    return {
      columns: await columnsOf(db),
      references: (
        await column(
          db,
          `select c.conrelid::regclass || '.' || a.attname || ' ' || c.confrelid::regclass || '.' || b.attname || ' ' ||
             case c.confdeltype when 'a' then 'no action' when 'c' then 'cascade' else c.confdeltype::text end as text
           from pg_constraint c, unnest(c.conkey, c.confkey) k (a, b), pg_attribute a, pg_attribute b
           where c.contype = 'f' and a.attrelid = c.conrelid and a.attnum = k.a and b.attrelid = c.confrelid and b.attnum = k.b`,
        )
      ).filter((text) => !OWN.test(text)),
      rules: names.filter((name) => known.includes(name)),
      moves: await column(db, MOVES),
    };
  });
