import { CurfewError } from '@curfew/shared';
import Database from 'better-sqlite3';
import { createHash, type Hash } from 'node:crypto';
import { PostgresConnection } from './postgres-connection.js';
import { ledgerError } from './postgres-errors.js';
import { SEARCH_ALL } from './postgres-search.js';

/** Rows that are written or read at a time. */
const AT_ONCE = 2_000;

/** What makes itself, or belongs to one database alone. */
const NOT_MOVED: ReadonlySet<string> = new Set([
  'kysely_migration',
  'kysely_migration_lock',
  'session_search',
  'server_secret',
  'replica',
  'device_link',
]);
/** What every new ledger has of its own; it is replaced by what the other one has. */
const OF_A_NEW_ONE: ReadonlySet<string> = new Set([
  'policy',
  'policy_version',
  'session_state_allowed',
  'request_state_allowed',
]);

interface Column {
  readonly name: string;
  /** As PostgreSQL calls it: 'bigint', 'text', 'bytea'. */
  readonly type: string;
}

interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  /** Its primary key, which puts the rows in order. */
  readonly key: readonly string[];
}

type Row = Readonly<Record<string, unknown>>;

/** What was moved, and found there again. */
export interface Moved {
  readonly tables: number;
  readonly rows: number;
}

/**
 * Copies the ledger in a SQLite file into a database of PostgreSQL whose tables are there and empty, in one transaction.
 * Every row is read back and compared before the commit; when anything differs, nothing is there. The file is only read.
 * Errors: STORAGE_UNSAFE, LEDGER_UNAVAILABLE.
 */
export async function moveLedger(file: string, url: string): Promise<Moved> {
  const source = new Database(file, { readonly: true, fileMustExist: true });
  let target: PostgresConnection | undefined;
  try {
    target = await PostgresConnection.open(url, 'move', 'patient');
    await target.run('begin isolation level serializable');
    const moved = await moveAll(source, target);
    await target.commit();
    return moved;
  } catch (error) {
    throw ledgerError(error);
  } finally {
    target?.destroy();
    source.close();
  }
}

async function moveAll(source: Database.Database, target: PostgresConnection): Promise<Moved> {
  const tables = await tablesOf(target);
  for (const { name } of tables)
    if (!OF_A_NEW_ONE.has(name) && (await count(target, name)) > 0)
      throw unsafe(`the database has a ledger already: there is something in ${name}`);
  // What is legal was so when it was written; rules that look at the order of events would refuse it now.
  for (const { name } of tables) await target.run(`alter table ${name} disable trigger user`);
  for (const { name } of [...tables].reverse()) await target.run(`delete from ${name}`);
  let rows = 0;
  for (const table of tables) rows += await moveTable(source, target, table);
  await target.run(SEARCH_ALL);
  for (const { name } of tables) await target.run(`alter table ${name} enable trigger user`);
  return { tables: tables.length, rows };
}

async function moveTable(source: Database.Database, target: PostgresConnection, table: Table): Promise<number> {
  const names = table.columns.map(({ name }) => `"${name}"`).join(', ');
  const insert = `insert into ${table.name} (${names}) select * from unnest(${table.columns
    .map(({ type }, at) => `$${at + 1}::${type}[]`)
    .join(', ')})`;
  const given = source.prepare(`select ${names} from ${table.name} order by ${table.key.join(', ')}`);
  const sent = createHash('sha256');
  let rows = 0;
  for (const batch of batches(given.iterate() as IterableIterator<Row>)) {
    for (const row of batch) digest(sent, table, row);
    await target.run(
      insert,
      table.columns.map(({ name }) => batch.map((row) => row[name])),
    );
    rows += batch.length;
  }
  const kept = await digestThere(target, table, names);
  if (kept.rows !== rows) throw unsafe(`of ${rows} rows of ${table.name}, ${kept.rows} have arrived`);
  if (kept.digest !== sent.digest('hex')) throw unsafe(`${table.name} has arrived as something else`);
  return rows;
}

/** Reads a table back, in its order. */
async function digestThere(
  target: PostgresConnection,
  table: Table,
  names: string,
): Promise<{ readonly rows: number; readonly digest: string }> {
  const hash = createHash('sha256');
  let rows = 0;
  await target.run(`declare there cursor for select ${names} from ${table.name} order by ${table.key.join(', ')}`);
  for (;;) {
    const batch = await target.run<Row>(`fetch ${AT_ONCE} from there`);
    for (const row of batch) digest(hash, table, row);
    rows += batch.length;
    if (batch.length < AT_ONCE) break;
  }
  await target.run('close there');
  return { rows, digest: hash.digest('hex') };
}

function digest(hash: Hash, { columns }: Table, row: Row): void {
  const values = columns.map(({ name }) => {
    const value = row[name];
    return Buffer.isBuffer(value) ? value.toString('base64') : value;
  });
  hash.update(`${JSON.stringify(values)}\n`);
}

function* batches(rows: Iterable<Row>): Generator<Row[]> {
  let batch: Row[] = [];
  for (const row of rows) {
    batch.push(row);
    if (batch.length < AT_ONCE) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Every table that is moved: those that others refer to come before those. */
async function tablesOf(target: PostgresConnection): Promise<Table[]> {
  const columns = await target.run<{ table: string; column: string; type: string }>(
    `select table_name::text as "table", column_name::text as "column", data_type::text as type
       from information_schema.columns where table_schema = current_schema() and is_generated = 'NEVER'
       order by table_name, ordinal_position`,
  );
  const keys = await target.run<{ table: string; column: string }>(
    `select c.conrelid::regclass::text as "table", a.attname::text as "column"
       from pg_constraint c, unnest(c.conkey) with ordinality k (n, at), pg_attribute a
       where c.contype = 'p' and a.attrelid = c.conrelid and a.attnum = k.n order by c.conrelid, k.at`,
  );
  const references = await target.run<{ table: string; to: string }>(
    `select conrelid::regclass::text as "table", confrelid::regclass::text as "to" from pg_constraint
       where contype = 'f' and conrelid <> confrelid`,
  );
  const names = [...new Set(columns.map(({ table }) => table))].filter((name) => !NOT_MOVED.has(name));
  const ordered: string[] = [];
  const place = (name: string): void => {
    if (ordered.includes(name) || !names.includes(name)) return;
    for (const { table, to } of references) if (table === name) place(to);
    ordered.push(name);
  };
  names.forEach(place);
  return ordered.map((name) => ({
    name,
    columns: columns.filter(({ table }) => table === name).map(({ column, type }) => ({ name: column, type })),
    key: keys.filter(({ table }) => table === name).map(({ column }) => `"${column}"`),
  }));
}

async function count(target: PostgresConnection, table: string): Promise<number> {
  const [row] = await target.run<{ rows: number }>(`select count(*) as rows from ${table}`);
  return row?.rows ?? 0;
}

const unsafe = (problem: string): CurfewError => new CurfewError('STORAGE_UNSAFE', { problem });
