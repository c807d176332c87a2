import pg from 'pg';
import type { LedgerReader } from '../ledger.js';
import { beginSession, connectionSettings, destroyClient, kyselyOn, runOn } from './postgres-connection.js';
import { isAway, wasLost } from './postgres-errors.js';
import { assertWhole, isStandby, type Place, type SeenLedger } from './seen-ledger.js';

const CONNECTIONS = 8;
const IDLE_MS = 60_000;

/** One round trip: the moment that is read, and where the ledger stood then. */
const BEGIN = `begin isolation level repeatable read read only;
  select coalesce(max(revision), 0) as revision from change`;

/** One of the connections, as it was admitted. */
interface Reader {
  readonly client: pg.PoolClient;
  readonly db: LedgerReader;
  readonly place: Place;
}

/** Many connections, for reads. Each read sees one moment, and none that is before what this server has seen. */
export class PostgresReaders {
  private readonly pool: pg.Pool;
  private readonly admitted = new WeakMap<pg.PoolClient, Reader>();

  constructor(
    url: string,
    private readonly seen: SeenLedger,
  ) {
    this.pool = new pg.Pool({ ...connectionSettings(url, 'reads'), max: CONNECTIONS, idleTimeoutMillis: IDLE_MS });
    // One that breaks is replaced, and whoever uses it hears of it by itself: an event that nobody hears ends the process.
    this.pool.on('error', () => undefined);
    this.pool.on('connect', (client) => client.on('error', () => undefined));
  }

  /** Errors: LEDGER_UNAVAILABLE where the ledger is older; those of the work, PostgreSQL's own. */
  async read<T>(work: (db: LedgerReader) => Promise<T>): Promise<T> {
    const { client, db, place } = await this.begin();
    let value: T;
    try {
      value = await work(db);
      await client.query('commit');
    } catch (error) {
      await this.undo(client, error);
      throw error;
    }
    // The next one may come to the primary.
    client.release(isStandby(place));
    return value;
  }

  close(): Promise<void> {
    return this.pool.end();
  }

  /** A connection that was lost while it had nothing to do is passed over: another one is asked. */
  private async begin(): Promise<Reader> {
    for (;;) {
      const { reader, isNew } = await this.reader();
      const seen = this.seen.revision;
      try {
        const [start] = await runOn<{ revision: number }>(reader.client, BEGIN);
        this.seen.assertReached(start?.revision ?? 0, seen);
        return reader;
      } catch (error) {
        reader.client.release(true);
        if (isNew || !wasLost(error)) throw error;
      }
    }
  }

  private async reader(): Promise<{ readonly reader: Reader; readonly isNew: boolean }> {
    const client = await this.pool.connect();
    const reader = this.admitted.get(client);
    return reader === undefined ? { reader: await this.admit(client), isNew: true } : { reader, isNew: false };
  }

  private async admit(client: pg.PoolClient): Promise<Reader> {
    try {
      await beginSession(client);
      const admission = await this.seen.admit((text, values) => runOn(client, text, values));
      assertWhole(admission);
      const unwatch = this.seen.watch(admission.place, () => {
        destroyClient(client);
      });
      client.once('end', unwatch);
      const reader = { client, db: kyselyOn(client), place: admission.place };
      this.admitted.set(client, reader);
      return reader;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  /** A connection that does not answer is not asked to undo anything. */
  private async undo(client: pg.PoolClient, error: unknown): Promise<void> {
    const answers = error instanceof pg.DatabaseError || !isAway(error);
    const isUndone =
      answers &&
      (await client.query('rollback').then(
        () => true,
        () => false,
      ));
    client.release(!isUndone);
  }
}
