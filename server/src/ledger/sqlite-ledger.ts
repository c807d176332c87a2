import { CurfewError, type Clock, type NoteSigningKey, type Random } from '@curfew/shared';
import type Database from 'better-sqlite3';
import { Kysely, Migrator, SqliteDialect } from 'kysely';
import type { AuditEntry } from '../audit/audit-entry.js';
import { AuditWriter } from './audit-writer.js';
import type { Change, Ledger, LedgerReader, LedgerTransaction } from './ledger.js';
import { readMeta, writeMeta } from './ledger-meta.js';
import * as firstMigration from './migrations/0001-ledger.js';
import { isStorageFailure, openSqlite } from './sqlite-connection.js';
import type { Tables } from './tables.js';

interface Unit {
  readonly run: (tx: LedgerTransaction) => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface SqliteLedgerOptions {
  /** A path, or ':memory:'. */
  readonly file: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly noteKey: NoteSigningKey;
  /** Called when the disk has failed and nothing can be promised any more. Must end the process. */
  readonly fatal: (error: unknown) => void;
}

/** The ledger on one SQLite file, with group commit: what arrives in one turn of the event loop shares one fsync. */
export class SqliteLedger implements Ledger {
  private readonly writer: LedgerReader;
  private readonly reader: LedgerReader | undefined;
  private readonly auditWriter: AuditWriter;
  private readonly listeners = new Set<(changes: readonly Change[]) => void>();
  private queue: Unit[] = [];
  private draining: Promise<void> | undefined;
  private revision = 0;

  private constructor(
    private readonly raw: Database.Database,
    private readonly options: SqliteLedgerOptions,
  ) {
    this.writer = kysely(raw);
    this.reader = raw.memory ? undefined : kysely(openSqlite(options.file));
    this.auditWriter = new AuditWriter(options.noteKey);
  }

  /** Opens the ledger, making or migrating it. Errors: STORAGE_UNSAFE. */
  static async open(options: SqliteLedgerOptions): Promise<SqliteLedger> {
    const raw = openSqlite(options.file);
    const ledger = new SqliteLedger(raw, options);
    const migrator = new Migrator({
      db: ledger.writer,
      provider: { getMigrations: () => Promise.resolve({ '0001-ledger': firstMigration }) },
    });
    const { error } = await migrator.migrateToLatest();
    if (error !== undefined)
      throw new CurfewError('STORAGE_UNSAFE', { problem: 'the ledger could not be migrated' }, { cause: error });
    await ledger.write(async ({ db }) => {
      const meta = await readMeta(db);
      if (meta.id === '')
        await writeMeta(db, {
          id: options.random.bytes(8).toString('hex'),
          incarnation: 1,
          rolledBack: '',
          cursorKey: options.random.bytes(32).toString('hex'),
        });
    });
    return ledger;
  }

  read<T>(work: (db: LedgerReader) => Promise<T>): Promise<T> {
    // In memory there is one connection, so a read waits its turn behind the writes.
    return this.reader === undefined ? this.write(({ db }) => work(db)) : work(this.reader);
  }

  write<T>(work: (tx: LedgerTransaction) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.queue.push({ run: work, resolve: resolve as (value: unknown) => void, reject });
      this.draining ??= new Promise<void>((done) => {
        // eslint-disable-next-line no-restricted-globals -- not a wait: what arrives in this turn of the event loop is one group
        setImmediate(() => {
          void this.drain().then(done);
        });
      });
    });
  }

  onChange(listener: (changes: readonly Change[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async backup(file: string): Promise<void> {
    await this.raw.backup(file);
  }

  async close(): Promise<void> {
    await this.draining;
    await this.reader?.destroy();
    await this.writer.destroy();
  }

  private async drain(): Promise<void> {
    while (this.queue.length > 0) {
      const units = this.queue;
      this.queue = [];
      await this.commitGroup(units);
    }
    this.draining = undefined;
  }

  /** One transaction for all units. Nobody hears of success before the commit is on disk. */
  private async commitGroup(units: readonly Unit[]): Promise<void> {
    const settle: (() => void)[] = [];
    const changes: Change[] = [];
    try {
      this.raw.exec('begin immediate');
      await this.auditWriter.begin(this.writer);
      this.revision = Number(this.raw.prepare('select coalesce(max(revision), 0) from change').pluck().get());
      let audited = 0;
      for (const unit of units) audited += await this.runUnit(unit, settle, changes);
      if (audited > 0) await this.auditWriter.seal(this.writer);
      this.raw.exec('commit');
    } catch (error) {
      this.undo(error);
      for (const unit of units)
        unit.reject(new CurfewError('STORAGE_FAILED', { detail: (error as Error).message }, { cause: error }));
      return;
    }
    for (const done of settle) done();
    if (changes.length > 0) for (const listener of this.listeners) listener(changes);
  }

  private async runUnit(unit: Unit, settle: (() => void)[], changes: Change[]): Promise<number> {
    const entries: AuditEntry[] = [];
    const noted: Change[] = [];
    const tx: LedgerTransaction = {
      db: this.writer,
      audit: (entry) => entries.push(entry),
      changed: (kind, id, deviceId = '') => {
        noted.push({ revision: ++this.revision, kind, id, deviceId });
        return this.revision;
      },
    };
    this.raw.exec('savepoint unit');
    try {
      const value = await unit.run(tx);
      for (let at = 0; at < noted.length; at += 1_000) {
        const rows = noted.slice(at, at + 1_000).map(({ deviceId, ...row }) => ({ ...row, device_id: deviceId }));
        await this.writer.insertInto('change').values(rows).execute();
      }
      this.raw.exec('release unit');
      settle.push(() => {
        unit.resolve(value);
      });
    } catch (error) {
      if (isStorageFailure(error) || !this.raw.inTransaction) throw error;
      this.raw.exec('rollback to unit; release unit');
      settle.push(() => {
        unit.reject(error);
      });
      return 0;
    }
    if (entries.length > 0) await this.auditWriter.append(this.writer, entries, this.options.clock.now());
    changes.push(...noted);
    return entries.length;
  }

  private undo(error: unknown): void {
    this.auditWriter.reset();
    if (isStorageFailure(error)) this.options.fatal(error);
    if (this.raw.inTransaction) this.raw.exec('rollback');
  }
}

const kysely = (database: Database.Database): LedgerReader =>
  new Kysely<Tables>({ dialect: new SqliteDialect({ database }) });

/** Checks a database file from end to end; returns what is wrong, or undefined. */
export function sqliteFileProblem(file: string): string | undefined {
  const db = openSqlite(file);
  try {
    const answer = db.pragma('integrity_check', { simple: true });
    return answer === 'ok' ? undefined : String(answer);
  } finally {
    db.close();
  }
}
