import { CurfewError } from '@curfew/shared';
import { Kysely, Migrator, PostgresDialect, sql, type Migration } from 'kysely';
import type { LedgerReader } from '../ledger.js';
import { MIGRATIONS } from '../migrations.js';
import { assertDurablePostgres, PostgresConnection } from './postgres-connection.js';
import { isAway } from './postgres-errors.js';
import { postgresSearchMigration } from './postgres-search.js';
import { translateSchema } from './translate-schema.js';

/** How many steps newer than this program a ledger may be: so that servers are upgraded one after the other. */
const NEWER_STEPS = 1;

const FIRST = [
  // A text of a JSON document; '' of what is none, since a device may send anything.
  `create function json_text(document text, path text) returns text immutable parallel safe language plpgsql as $json$
     begin return document::json ->> substr(path, 3); exception when data_exception then return ''; end $json$`,
  // What several servers share and nobody may read who has the database alone: each is sealed with a key outside of it.
  `create table server_secret (name text primary key, sealed text not null)`,
  // Which server holds a device's link, and which servers there are.
  `create table replica (id text primary key, started_at_ms bigint not null, seen_at_ms bigint not null)`,
  `create table device_link (device_id text primary key, replica_id text not null references replica (id) on delete cascade,
     instance text not null, since_ms bigint not null)`,
];

/** What only this ledger has. */
const OWN: Record<string, Migration> = {
  '0000-postgresql': {
    up: async (db) => {
      for (const statement of FIRST) await sql.raw(statement).execute(db);
    },
  },
  '0007-search': postgresSearchMigration,
};

/** Looks at the database and at what is before it, and makes its tables or brings them up to date. Errors: STORAGE_UNSAFE, PostgreSQL's own. */
export async function preparePostgres(url: string): Promise<void> {
  const connection = await PostgresConnection.open(url, 'schema', 'patient');
  try {
    await assertDurablePostgres(connection);
    await assertNotShared(connection, url);
    await migratePostgres(connection);
  } finally {
    await connection.close();
  }
}

/**
 * Refuses a pooler that shares connections between transactions: the locks of one server would be those of another, and
 * nobody would hear of changes. Errors: STORAGE_UNSAFE.
 */
async function assertNotShared(connection: PostgresConnection, url: string): Promise<void> {
  const other = await PostgresConnection.open(url, 'schema');
  try {
    const ask = 'select pg_backend_pid() as process';
    const [[one], [two]] = [await connection.run<Backend>(ask), await other.run<Backend>(ask)];
    if (one?.process !== two?.process) return;
  } finally {
    await other.close();
  }
  throw new CurfewError('STORAGE_UNSAFE', {
    problem: 'a pooler before PostgreSQL shares connections between transactions; have it pool sessions',
  });
}

/** What answers a connection. */
interface Backend {
  readonly process: number;
}

/**
 * Brings the schema up to this program's. A ledger that is one step newer is left as it is, so that a server of the
 * version before can go on beside the first of the next. Several servers may do so at a time. Errors: STORAGE_UNSAFE.
 */
async function migratePostgres(connection: PostgresConnection): Promise<void> {
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: connection.pool(translateSchema) }) });
  const known = { ...MIGRATIONS, ...OWN };
  const newer = (await doneSteps(connection.db)).filter((name) => !Object.hasOwn(known, name));
  if (newer.length > NEWER_STEPS)
    throw new CurfewError('STORAGE_UNSAFE', {
      problem: `it was made by a server that is newer by ${newer.join(', ')}; install one that is no older`,
    });
  const steps: Record<string, Migration> = { ...known };
  for (const name of newer) steps[name] = { up: () => Promise.resolve() };
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(steps) },
    allowUnorderedMigrations: true,
  });
  const { error } = await migrator.migrateToLatest();
  if (isAway(error)) throw error;
  if (error !== undefined)
    throw new CurfewError('STORAGE_UNSAFE', { problem: 'the ledger could not be migrated' }, { cause: error });
}

/** The steps that were done; none in an empty database. */
async function doneSteps(db: LedgerReader): Promise<string[]> {
  const { rows } = await sql<{ there: boolean }>`select to_regclass('kysely_migration') is not null as there`.execute(
    db,
  );
  if (rows[0]?.there !== true) return [];
  const done = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  return done.rows.map(({ name }) => name);
}
