import { CurfewError } from '@curfew/shared';
import Database from 'better-sqlite3';
import { statSync } from 'node:fs';

/** SQLite before 3.51.3 can corrupt a database in WAL mode (the WAL-reset bug). */
const LEAST_SQLITE = [3, 51, 3] as const;
/** The value of `pragma synchronous` that syncs the log at every commit. */
const FULL = 2;
/** How long the log may grow before it is copied into the database: a thousand pages, as SQLite itself would. */
const LOG_LIMIT_BYTES = 4_120_000;

const refuse = (problem: string): never => {
  throw new CurfewError('STORAGE_UNSAFE', { problem });
};

/**
 * Opens a database that keeps what it has committed through a power cut, or refuses. better-sqlite3 is compiled to
 * run WAL with synchronous=NORMAL, which does not; so FULL is set, and read back after a write. `first` sets what has to
 * be set before there is any table. Errors: STORAGE_UNSAFE.
 */
export function openSqlite(file: string, first?: (db: Database.Database) => void): Database.Database {
  const db = new Database(file);
  try {
    first?.(db);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    db.pragma('busy_timeout = 5000');
    // See copyLogIfLong. The log is cut when it begins anew, so that its file tells how long it is.
    db.pragma('wal_autocheckpoint = 0');
    db.pragma('journal_size_limit = 0');
    assertDurable(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Refuses a connection whose commits a power cut could take back, found out by a write. Errors: STORAGE_UNSAFE. */
export function assertDurable(db: Database.Database): void {
  assertNewEnough(String(db.prepare('select sqlite_version()').pluck().get()));
  db.exec('create table if not exists storage_probe (at integer)');
  db.exec('begin immediate; delete from storage_probe; insert into storage_probe values (1); commit');
  const mode = db.pragma('journal_mode', { simple: true });
  if (mode !== 'wal' && !db.memory) refuse(`journal_mode is ${String(mode)}, not wal`);
  const synchronous = db.pragma('synchronous', { simple: true });
  if (synchronous !== FULL) refuse(`synchronous is ${String(synchronous)} after a write, not FULL`);
}

/** Errors: STORAGE_UNSAFE. */
export function assertNewEnough(version: string): void {
  const parts = version.split('.').map(Number);
  const difference = LEAST_SQLITE.map((least, at) => (parts[at] ?? 0) - least).find((step) => step !== 0) ?? 0;
  if (difference < 0) refuse(`SQLite ${version} is older than ${LEAST_SQLITE.join('.')}`);
}

/**
 * Copies the log into the database when it has grown long (a checkpoint). SQLite would do so by itself inside a commit,
 * but then says nothing of a failed fsync. Throws what SQLite throws; nothing that was committed is lost by it.
 */
export function copyLogIfLong(db: Database.Database): void {
  if (db.memory) return;
  const log = statSync(`${db.name}-wal`, { throwIfNoEntry: false });
  if ((log?.size ?? 0) >= LOG_LIMIT_BYTES) db.pragma('wal_checkpoint(PASSIVE)');
}

/** Whether the disk itself failed. After a failed fsync nothing is known, so the process must end. */
export const isStorageFailure = (error: unknown): boolean =>
  error instanceof Database.SqliteError && /^SQLITE_(IOERR|CORRUPT|NOTADB)/.test(error.code);

/** Whether the disk has no room. What was to be written is not; what is committed stays. */
export const isStorageFull = (error: unknown): boolean =>
  error instanceof Database.SqliteError && error.code === 'SQLITE_FULL';
