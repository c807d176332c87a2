import { CurfewError } from '@curfew/shared';
import Database from 'better-sqlite3';
import path from 'node:path';

/** Keeps the locks of this process from the garbage collector, which would give them up. */
const held = new Set<Database.Database>();

/**
 * Takes the ledger of a folder for this process alone: the server while it runs, restore, recover. Two servers on one
 * SQLite ledger would not hear of each other's changes. Ends with the process, however that ends, or with what is
 * returned. A holder that is just leaving is waited for. Errors: LEDGER_IN_USE.
 */
export function lockLedger(folder: string, waitMs: number): () => void {
  const lock = new Database(path.join(folder, 'ledger.lock'), { timeout: waitMs });
  try {
    // A transaction that never ends: its lock is the operating system's, on a file that nobody ever writes.
    lock.exec('begin exclusive');
  } catch (error) {
    lock.close();
    if (error instanceof Database.SqliteError && error.code === 'SQLITE_BUSY')
      throw new CurfewError('LEDGER_IN_USE', { folder }, { cause: error });
    throw error;
  }
  held.add(lock);
  return () => {
    held.delete(lock);
    lock.close();
  };
}
