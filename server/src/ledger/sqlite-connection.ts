import { CurfewError } from '@curfew/shared';
import Database from 'better-sqlite3';

/** SQLite before 3.51.3 can corrupt a database in WAL mode (the WAL-reset bug). */
const LEAST_SQLITE = [3, 51, 3] as const;

const refuse = (problem: string): never => {
  throw new CurfewError('STORAGE_UNSAFE', { problem });
};

/**
 * Opens a database that keeps what it has committed through a power cut, or refuses. better-sqlite3 is compiled to
 * run WAL with synchronous=NORMAL, which does not; so FULL is set, and read back after a write.
 * Errors: STORAGE_UNSAFE.
 */
export function openSqlite(file: string): Database.Database {
  const db = new Database(file);
  try {
    const version = String(db.prepare('select sqlite_version()').pluck().get());
    const parts = version.split('.').map(Number);
    const difference = LEAST_SQLITE.map((least, at) => (parts[at] ?? 0) - least).find((step) => step !== 0) ?? 0;
    if (difference < 0) refuse(`SQLite ${version} is older than ${LEAST_SQLITE.join('.')}`);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    db.pragma('busy_timeout = 5000');
    db.exec('create table if not exists storage_probe (at integer)');
    db.exec('begin immediate; delete from storage_probe; insert into storage_probe values (1); commit');
    const mode = db.pragma('journal_mode', { simple: true });
    if (mode !== 'wal' && !db.memory) refuse(`journal_mode is ${String(mode)}, not wal`);
    const synchronous = db.pragma('synchronous', { simple: true });
    if (synchronous !== 2) refuse(`synchronous is ${String(synchronous)} after a write, not FULL`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Whether the disk itself failed. After a failed fsync nothing is known, so the process must end. */
export const isStorageFailure = (error: unknown): boolean =>
  error instanceof Database.SqliteError && (error.code.startsWith('SQLITE_IOERR') || error.code === 'SQLITE_CORRUPT');
