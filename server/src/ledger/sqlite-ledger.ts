import { CurfewError, type Clock, type NoteSigningKey, type Random } from '@curfew/shared';
import type Database from 'better-sqlite3';
import { Kysely, Migrator, SqliteDialect } from 'kysely';
import type { AuditEntry } from '../audit/audit-entry.js';
import { nextTurn } from '../next-turn.js';
import { AuditWriter } from './audit-writer.js';
import type { Change, Ledger, LedgerReader, LedgerTransaction } from './ledger.js';
import { readMeta, writeMeta } from './ledger-meta.js';
import * as firstMigration from './migrations/0001-ledger.js';
import * as signInMigration from './migrations/0002-sign-in.js';
import * as policiesMigration from './migrations/0003-policies.js';
import * as notificationsMigration from './migrations/0004-notifications.js';
import * as listsMigration from './migrations/0005-lists.js';
import * as signInEndsMigration from './migrations/0006-sign-in-ends.js';
import * as searchMigration from './migrations/0007-search.js';
import * as timedAccessMigration from './migrations/0008-timed-access.js';
import { PreparedStatements } from './prepared-statements.js';
import { SqliteSessionSearch } from './session-search.js';
import { copyLogIfLong, isStorageFailure, isStorageFull, openSqlite } from './sqlite-connection.js';
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

/** What the units of a group have done. */
interface Group {
  readonly settle: (() => void)[];
  readonly changes: Change[];
  readonly entries: AuditEntry[];
}

/** How many changes one statement takes. */
const CHANGES_PER_INSERT = 1_000;

/**
 * The ledger on one SQLite file, with group commit: what arrives in one turn of the event loop shares one fsync. Reads
 * and groups take turns on one connection: what a second one has in its cache is worth nothing after each commit.
 */
export class SqliteLedger implements Ledger {
  readonly sessionSearch = new SqliteSessionSearch();
  private readonly db: LedgerReader;
  private readonly auditWriter: AuditWriter;
  private readonly listeners = new Set<(changes: readonly Change[]) => void>();
  private queue: Unit[] = [];
  private draining: Promise<void> | undefined;
  private committing: Promise<void> | undefined;
  private readonly reads = new Set<Promise<unknown>>();
  /** The newest revision; undefined until the transaction has asked for it, since another process may have written. */
  private revision: number | undefined;
  private readonly statements: PreparedStatements;

  private constructor(
    private readonly raw: Database.Database,
    private readonly options: SqliteLedgerOptions,
  ) {
    this.statements = new PreparedStatements(raw);
    this.db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: this.statements }) });
    this.auditWriter = new AuditWriter(options.noteKey);
  }

  /** Opens the ledger, making or migrating it. Errors: STORAGE_UNSAFE. */
  static async open(options: SqliteLedgerOptions): Promise<SqliteLedger> {
    const raw = openSqlite(options.file);
    const ledger = new SqliteLedger(raw, options);
    const migrator = new Migrator({
      db: ledger.db,
      provider: {
        getMigrations: () =>
          Promise.resolve({
            '0001-ledger': firstMigration,
            '0002-sign-in': signInMigration,
            '0003-policies': policiesMigration,
            '0004-notifications': notificationsMigration,
            '0005-lists': listsMigration,
            '0006-sign-in-ends': signInEndsMigration,
            '0007-search': searchMigration,
            '0008-timed-access': timedAccessMigration,
          }),
      },
      // Others may have come in between; no migration depends on another than the first.
      allowUnorderedMigrations: true,
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

  async read<T>(work: (db: LedgerReader) => Promise<T>): Promise<T> {
    while (this.committing !== undefined) await this.committing;
    const reading = work(this.db);
    this.reads.add(reading);
    try {
      return await reading;
    } catch (error) {
      if (isStorageFailure(error)) this.options.fatal(error);
      throw error;
    } finally {
      this.reads.delete(reading);
    }
  }

  write<T>(work: (tx: LedgerTransaction) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.queue.push({ run: work, resolve: resolve as (value: unknown) => void, reject });
      this.draining ??= this.drain();
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
    await this.db.destroy();
  }

  /**
   * One group for each turn of the event loop: a caller who writes again and again must not keep the others out. Writes
   * go before reads: a read that comes while a group waits has to wait for it.
   */
  private async drain(): Promise<void> {
    do {
      await nextTurn();
      let over = (): void => undefined;
      this.committing = new Promise((resolve) => {
        over = resolve;
      });
      while (this.reads.size > 0) await Promise.allSettled(this.reads);
      const units = this.queue;
      this.queue = [];
      await this.commitGroup(units);
      this.committing = undefined;
      over();
    } while (this.queue.length > 0);
    this.draining = undefined;
  }

  /** One transaction for all units. Nobody hears of success before the commit is on disk. */
  private async commitGroup(units: readonly Unit[]): Promise<void> {
    const group: Group = { settle: [], changes: [], entries: [] };
    try {
      this.raw.exec('begin immediate');
      this.revision = undefined;
      for (const unit of units) await this.runUnit(unit, group);
      await this.record(group);
      this.raw.exec('commit');
    } catch (error) {
      this.undo(error);
      for (const unit of units)
        unit.reject(new CurfewError('STORAGE_FAILED', { detail: (error as Error).message }, { cause: error }));
      return;
    }
    // The devices hear first: a caller who waits for them waits for less.
    if (group.changes.length > 0) for (const listener of this.listeners) listener(group.changes);
    for (const done of group.settle) done();
    this.copyLog();
  }

  /** A full disk lets the log grow on; the next commit tries again. */
  private copyLog(): void {
    try {
      copyLogIfLong(this.raw);
    } catch (error) {
      if (!isStorageFull(error)) this.options.fatal(error);
    }
  }

  private async runUnit(unit: Unit, group: Group): Promise<void> {
    const entries: AuditEntry[] = [];
    const changes: Change[] = [];
    const tx: LedgerTransaction = {
      db: this.db,
      audit: (entry) => entries.push(entry),
      changed: (kind, id, deviceId = '') => {
        const revision = this.nextRevision();
        changes.push({ revision, kind, id, deviceId });
        return revision;
      },
    };
    this.raw.exec('savepoint unit');
    try {
      const value = await unit.run(tx);
      this.raw.exec('release unit');
      group.settle.push(() => {
        unit.resolve(value);
      });
    } catch (error) {
      // With a disk that failed or is full the whole group is refused: what a savepoint can still undo is not known.
      if (isStorageFailure(error) || isStorageFull(error) || !this.raw.inTransaction) throw error;
      this.raw.exec('rollback to unit; release unit');
      group.settle.push(() => {
        unit.reject(error);
      });
      return;
    }
    group.changes.push(...changes);
    group.entries.push(...entries);
  }

  private nextRevision(): number {
    if (this.revision === undefined) {
      const newest = this.statements.prepare('select coalesce(max(revision), 0) as revision from change');
      const [row] = newest.all([]) as { revision: number }[];
      this.revision = row?.revision ?? 0;
    }
    this.revision += 1;
    return this.revision;
  }

  /** Writes down what all units together have changed, under one checkpoint. */
  private async record({ changes, entries }: Group): Promise<void> {
    for (let at = 0; at < changes.length; at += CHANGES_PER_INSERT) {
      const rows = changes
        .slice(at, at + CHANGES_PER_INSERT)
        .map(({ deviceId, ...row }) => ({ ...row, device_id: deviceId }));
      await this.db.insertInto('change').values(rows).execute();
    }
    if (entries.length === 0) return;
    await this.auditWriter.append(this.db, entries, this.options.clock.now());
  }

  private undo(error: unknown): void {
    this.auditWriter.reset();
    if (isStorageFailure(error)) this.options.fatal(error);
    if (this.raw.inTransaction) this.raw.exec('rollback');
  }
}
