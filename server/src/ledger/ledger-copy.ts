import { CurfewError } from '@curfew/shared';
import Database from 'better-sqlite3';
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

/** All pages in one step: between steps the copy would begin anew whenever somebody else has written. */
const ALL_PAGES = 2 ** 31 - 1;

/**
 * Copies a ledger as it stands at one moment, while others use it. The copy is there whole, checked and on disk, or not
 * at all, and readable by its owner only. Errors: STORAGE_UNSAFE when either is no ledger or is damaged.
 */
export function copyLedger(from: string, to: string): Promise<void> {
  return copyDatabase(from, to, { what: 'ledger', probe: `select value from ledger_meta where key = 'ledger_id'` });
}

/** What a database is, and what can be asked of one that is that. */
interface DatabaseKind {
  readonly what: string;
  readonly probe: string;
}

/** The same for any database of the server. */
export async function copyDatabase(from: string, to: string, kind: DatabaseKind): Promise<void> {
  const fresh = `${to}.${process.pid}.new`;
  closeSync(openSync(fresh, 'wx', 0o600));
  try {
    const source = openReadOnly(from, kind);
    try {
      await source.backup(fresh, { progress: () => ALL_PAGES });
    } catch (error) {
      throw damaged(from, error, kind);
    } finally {
      source.close();
    }
    checkCopy(fresh, from, kind);
    renameSync(fresh, to);
    syncFolder(path.dirname(to));
  } finally {
    removeDatabase(fresh);
  }
}

function openReadOnly(file: string, kind: DatabaseKind): Database.Database {
  try {
    return new Database(file, { readonly: true, fileMustExist: true });
  } catch (error) {
    throw damaged(file, error, kind);
  }
}

/** Looks at every page of the copy and makes it one file: without a log beside it. */
function checkCopy(copy: string, from: string, kind: DatabaseKind): void {
  const db = new Database(copy);
  try {
    db.pragma('journal_mode = DELETE');
    const answer = db.pragma('integrity_check', { simple: true });
    if (answer !== 'ok') throw damaged(from, answer, kind);
    db.prepare(kind.probe).pluck().get();
  } catch (error) {
    throw error instanceof CurfewError ? error : damaged(from, error, kind);
  } finally {
    db.close();
  }
}

function damaged(file: string, problem: unknown, { what }: DatabaseKind): CurfewError {
  const detail = problem instanceof Error ? problem.message : String(problem);
  return new CurfewError(
    'STORAGE_UNSAFE',
    { problem: `${file} is not a whole ${what}: ${detail}` },
    { cause: problem },
  );
}

/** Removes a database with all that SQLite may have put beside it. */
export function removeDatabase(file: string): void {
  for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(file + suffix, { force: true });
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
