import { CurfewError } from '@curfew/shared';
import { copyLedger, removeDatabase } from '../ledger/ledger-copy.js';
import { readMeta, writeMeta } from '../ledger/ledger-meta.js';
import { SqliteLedger, type SqliteLedgerOptions } from '../ledger/sqlite-ledger.js';
import { endWhatMayBeOver, type Ended } from './end-what-may-be-over.js';

/**
 * Puts a backup in the place of the ledger, whole or not at all. It is marked as rolled back: nothing is granted before
 * a recovery, for nobody can know what was revoked since; what was live is ended. Errors: STORAGE_UNSAFE.
 */
export async function restoreLedger(backup: string, options: SqliteLedgerOptions): Promise<Ended> {
  const marked = `${options.file}.restoring`;
  // The log of one that was broken off would be taken for the log of this one.
  removeDatabase(marked);
  try {
    await copyLedger(backup, marked);
    const ledger = await SqliteLedger.open({ ...options, file: marked });
    try {
      const ended = await ledger.write(async (tx) => {
        const { id } = await readMeta(tx.db);
        await writeMeta(tx.db, { rolledBack: 'the ledger was restored from a backup' });
        tx.audit({ type: 'ledger.restored', actor: { kind: 'server' }, subject: id });
        tx.changed('ledger', id);
        return endWhatMayBeOver(tx, options.clock.now());
      });
      await replace(ledger, options.file);
      return ended;
    } finally {
      await ledger.close();
    }
  } finally {
    removeDatabase(marked);
  }
}

/** One transaction on the ledger that is there: a crash leaves the old one or the new one. */
async function replace(ledger: SqliteLedger, file: string): Promise<void> {
  try {
    await ledger.backup(file);
  } catch (error) {
    const problem = `${file} cannot be written over, move it away first: ${(error as Error).message}`;
    throw new CurfewError('STORAGE_UNSAFE', { problem }, { cause: error });
  }
}
