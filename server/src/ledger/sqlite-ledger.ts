import { CurfewError, type Clock, type NoteSigningKey, type Random } from '@curfew/shared';
import type Database from 'better-sqlite3';
import { Kysely, Migrator, SqliteDialect } from 'kysely';
import type { AuditEntry } from '../audit/audit-entry.js';
import { nextTurn } from '../next-turn.js';
import { AuditWriter, type AuditRows } from './audit-writer.js';
import type { Change, Ledger, LedgerReader, LedgerTransaction } from './ledger.js';
import { nameLedger } from './ledger-meta.js';
import { MIGRATIONS } from './migrations.js';
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

/**
 * The ledger on one SQLite file, with group commit: what arrives in one turn of the event loop shares one fsync. Reads
 * and groups take turns on one connection: what a second one has in its cache is worth nothing after each commit.
 */
export class SqliteLedger implements Ledger {
  readonly sessionSearch = new SqliteSessionSearch();
  /** When its disk fails, its process ends. */
  readonly problem = '';
  readonly leads = true;
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
    this.auditWriter = new AuditWriter(options.noteKey, (rows) => {
      insertAudit(this.statements, rows);
    });
  }

  /** Opens the ledger, making or migrating it. Errors: STORAGE_UNSAFE; LEDGER_NEWER, and it is left as it is. */
  static async open(options: SqliteLedgerOptions): Promise<SqliteLedger> {
    const raw = openSqlite(options.file);
    const ledger = new SqliteLedger(raw, options);
    const migrator = new Migrator({
      db: ledger.db,
      provider: {
        getMigrations: () => Promise.resolve({ ...MIGRATIONS }),
      },
      // Others may have come in between; no migration depends on another than the first.
      allowUnorderedMigrations: true,
    });
    const { error } = await migrator.migrateToLatest();
    if (error !== undefined) {
      const migration = unknownStep(raw, await migrator.getMigrations());
      raw.close();
      if (migration !== undefined) throw new CurfewError('LEDGER_NEWER', { file: options.file, migration });
      throw new CurfewError('STORAGE_UNSAFE', { problem: 'the ledger could not be migrated' }, { cause: error });
    }
    await ledger.write(({ db }) => nameLedger(db, options.random));
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

  onLead(): () => void {
    return () => undefined;
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
      changed: (kind, id, deviceId = '', takesAway = false) => {
        const revision = this.nextRevision();
        changes.push({ revision, kind, id, deviceId, ...(takesAway ? { takesAway } : {}) });
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
    for (const change of changes) group.changes.push(change);
    for (const entry of entries) group.entries.push(entry);
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
    // Row by row: one statement that is prepared once costs less than the texts of many rows.
    const insert = this.statements.prepare(
      'insert into change (revision, kind, id, device_id, takes_away) values (?, ?, ?, ?, ?)',
    );
    for (const { revision, kind, id, deviceId, takesAway } of changes)
      insert.run([revision, kind, id, deviceId, takesAway === true ? 1 : 0]);
    if (entries.length === 0) return;
    await this.auditWriter.append(this.db, entries, this.options.clock.now());
  }

  private undo(error: unknown): void {
    this.auditWriter.reset();
    if (isStorageFailure(error)) this.options.fatal(error);
    if (this.raw.inTransaction) this.raw.exec('rollback');
  }
}

/** A step that a newer server has taken with this ledger; undefined when there is none. */
function unknownStep(raw: Database.Database, known: readonly { readonly name: string }[]): string | undefined {
  const names = new Set(known.map(({ name }) => name));
  const steps = raw.prepare('select name from kysely_migration order by name').all() as { name: string }[];
  return steps.find(({ name }) => !names.has(name))?.name;
}

/** Row by row, with statements that are prepared once. */
function insertAudit(statements: PreparedStatements, { events, nodes }: AuditRows): void {
  const event = statements.prepare(
    'insert into audit_event (idx, at_ms, type, actor, subject, record) values (?, ?, ?, ?, ?, ?)',
  );
  const node = statements.prepare('insert into audit_node (level, idx, hash) values (?, ?, ?)');
  for (const { idx, at_ms, type, actor, subject, record } of events)
    event.run([idx, at_ms, type, actor, subject, record]);
  for (const { level, index, hash } of nodes) node.run([level, index, hash]);
}
