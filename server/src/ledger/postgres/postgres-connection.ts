import { CurfewError } from '@curfew/shared';
import { HandleEmptyInListsPlugin, Kysely, PostgresDialect, replaceWithNoncontingentExpression } from 'kysely';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import pg from 'pg';
import type { Change, LedgerReader } from '../ledger.js';
import type { Tables } from '../tables.js';
import { assertWhole, type Admission, type Place, type SeenLedger } from './seen-ledger.js';

/** The oldest version that is supported. */
const OLDEST = 150_000;
const CONNECT_LIMIT_MS = 5_000;
/** A server that died while it held the ledger keeps the others waiting for no longer. */
const IDLE_LIMIT_MS = 20_000;
/** How long another server's group is waited for. */
const LOCK_LIMIT_MS = 15_000;
/** No statement is waited for longer: beyond it the connection is taken for dead. */
const ANSWER_LIMIT_MS = 60_000;
/**
 * Said on each connection once it is there, since poolers refuse what they do not know as it is opened. A server whose
 * machine is gone holds its locks for no longer than half a minute.
 */
const SESSION = `set idle_in_transaction_session_timeout = ${IDLE_LIMIT_MS}; set lock_timeout = ${LOCK_LIMIT_MS};
  set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3`;

const NUMERIC = 1700;
const INT8 = 20;

/** Numbers come as numbers: what the ledger counts is far below 2^53. */
const parserOf = pg.types.getTypeParser as (oid: number) => (text: string) => unknown;
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number) => (oid === INT8 || oid === NUMERIC ? Number : parserOf(oid)),
};

/** How a connection is opened; `name` is what PostgreSQL lists it by. */
export const connectionSettings = (url: string, name: string): pg.ClientConfig => ({
  connectionString: url,
  application_name: `curfew-server ${name}`,
  types,
  keepAlive: true,
  keepAliveInitialDelayMillis: 5_000,
  connectionTimeoutMillis: CONNECT_LIMIT_MS,
  query_timeout: ANSWER_LIMIT_MS,
});

/** What SQLite takes without a word: a list of nothing, which nothing is in. */
const plugins = () => [new HandleEmptyInListsPlugin({ strategy: replaceWithNoncontingentExpression })];

/** A client as one that Kysely has to itself, with its statements said in other words if wanted. */
function poolOf(client: pg.ClientBase, translate = (statement: string): string => statement): PostgresPool {
  const query = (text: string, values: readonly unknown[]): unknown => client.query(translate(text), [...values]);
  const one = { query, release: () => undefined } as unknown as PostgresPoolClient;
  return { connect: () => Promise.resolve(one), end: () => Promise.resolve() };
}

/** Kysely on one client. */
export const kyselyOn = (client: pg.ClientBase): LedgerReader =>
  new Kysely<Tables>({ dialect: new PostgresDialect({ pool: poolOf(client) }), plugins: plugins() });

/** Runs statements without values, several at a time if wanted; gives the rows of the last. */
export async function runOn<Row extends object>(
  client: pg.ClientBase,
  text: string,
  values?: readonly unknown[],
): Promise<Row[]> {
  const result: unknown = await client.query(text, values === undefined ? undefined : [...values]);
  const last = (Array.isArray(result) ? result.at(-1) : result) as { rows: Row[] };
  return last.rows;
}

/** Ends a connection at once, whatever it does. */
export function destroyClient(client: pg.ClientBase): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

/** Prepares a connection that has just been opened. */
export async function beginSession(client: pg.ClientBase): Promise<void> {
  await client.query(SESSION);
}

/** One connection on which one transaction runs at a time. */
export class PostgresConnection {
  readonly db: LedgerReader;
  private lost = false;
  private seen: SeenLedger | undefined;
  private admission: Admission | undefined;

  private constructor(private readonly client: pg.Client) {
    for (const event of ['error', 'end'] as const) client.on(event, () => (this.lost = true));
    this.db = kyselyOn(client);
  }

  /** 'patient' is for statements whose length nobody knows. */
  static async open(url: string, name: string, patience?: 'patient'): Promise<PostgresConnection> {
    const config = connectionSettings(url, name);
    if (patience === 'patient') delete config.query_timeout;
    const connection = new PostgresConnection(new pg.Client(config));
    try {
      await connection.client.connect();
      await beginSession(connection.client);
    } catch (error) {
      connection.destroy();
      throw error;
    }
    return connection;
  }

  /**
   * Opens one to the ledger that was seen before, and ends it when another PostgreSQL takes over from the one there. Errors: LEDGER_UNAVAILABLE where it leads to an older one. A ledger that
   * has lost something is for whoever says so in it (`hasLost`), and refused to others.
   */
  static async enter(url: string, name: string, seen: SeenLedger, losses?: 'to note'): Promise<PostgresConnection> {
    const connection = await PostgresConnection.open(url, name);
    try {
      connection.seen = seen;
      connection.admission = await seen.admit((text, values) => connection.run(text, values));
      if (losses === undefined) assertWhole(connection.admission);
      const unwatch = seen.watch(connection.place, () => {
        connection.destroy();
      });
      connection.client.once('end', unwatch);
    } catch (error) {
      connection.destroy();
      throw error;
    }
    return connection;
  }

  /** Whether it is to be replaced; so is one that leads to a PostgreSQL from which another has taken over. */
  get isLost(): boolean {
    return this.lost;
  }

  get place(): Place {
    return this.admission?.place ?? { cluster: '', timeline: 0 };
  }

  /** Whether the ledger here lacks what this server has seen, and does not say so yet. */
  get hasLost(): boolean {
    return this.admission?.hasLost === true;
  }

  /** From now on the ledger here is the one that was seen. */
  lossIsNoted(newest: Change | undefined): void {
    this.admission = { place: this.place, hasLost: false };
    this.seen?.restart(this.place, newest);
  }

  /** Runs statements without values, several at a time if wanted; gives the rows of the last. */
  run<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]> {
    return runOn(this.client, text, values);
  }

  /** The same for one statement that takes no time. Errors: no answer came in so many milliseconds. */
  async probe<Row extends object>(text: string, withinMs: number): Promise<Row | undefined> {
    const statement: pg.QueryConfig & { readonly query_timeout: number } = { text, query_timeout: withinMs };
    return (await this.client.query<Row>(statement)).rows[0];
  }

  /** Errors: when PostgreSQL undoes the transaction instead, as it does after an error that somebody has swallowed. */
  async commit(): Promise<void> {
    const { command } = await this.client.query('commit');
    if (command !== 'COMMIT') throw new Error('the transaction had failed before, and was undone');
  }

  /** Calls the listener with what is notified on a channel, and once when the connection is lost. */
  async listen(channel: string, heard: (payload: string) => void, lost: () => void): Promise<void> {
    this.client.on('notification', ({ payload }) => {
      heard(payload ?? '');
    });
    this.client.once('end', lost);
    await this.run(`listen ${channel}`);
  }

  /** This connection as Kysely wants it, with its statements said in other words if wanted. */
  pool(translate?: (statement: string) => string): PostgresPool {
    return poolOf(this.client, translate);
  }

  /** Ends it at once, whatever it does. */
  destroy(): void {
    this.lost = true;
    destroyClient(this.client);
  }

  async close(): Promise<void> {
    if (!this.lost) await this.client.end();
    this.lost = true;
  }
}

/**
 * Refuses a database that could forget what it has committed, or that is not what it should be.
 * Errors: STORAGE_UNSAFE.
 */
export async function assertDurablePostgres(connection: PostgresConnection): Promise<void> {
  const [row] = await connection.run<Record<string, string>>(`select current_setting('server_version_num') as version,
    current_setting('server_version') as release, current_setting('synchronous_commit') as synchronous_commit,
    current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
    current_setting('server_encoding') as encoding`);
  const refuse = (problem: string): never => {
    throw new CurfewError('STORAGE_UNSAFE', { problem });
  };
  if (row === undefined) return refuse('PostgreSQL does not say how it is set');
  if (Number(row['version']) < OLDEST) refuse(`PostgreSQL ${row['release'] ?? ''} is older than 15`);
  if (row['encoding'] !== 'UTF8') refuse(`the encoding of the database is ${row['encoding'] ?? ''}, not UTF8`);
  for (const name of ['synchronous_commit', 'fsync', 'full_page_writes'])
    if (row[name] === 'off') refuse(`PostgreSQL runs with ${name} = off, and may forget what it has committed`);
}
