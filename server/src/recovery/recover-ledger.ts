import type { Clock } from '@curfew/shared';
import type { Ledger } from '../ledger/ledger.js';
import { readMeta, writeMeta } from '../ledger/ledger-meta.js';
import { endWhatMayBeOver, type Ended } from './end-what-may-be-over.js';

/** Begins the ledger's next incarnation, in which rights are given again; what was live in the old one is ended. */
export function recoverLedger(ledger: Ledger, clock: Clock): Promise<Ended & { readonly incarnation: number }> {
  return ledger.write(async (tx) => {
    const meta = await readMeta(tx.db);
    const incarnation = meta.incarnation + 1;
    const ended = await endWhatMayBeOver(tx, clock.now());
    await writeMeta(tx.db, { incarnation, rolledBack: '' });
    tx.audit({ type: 'ledger.recovered', actor: { kind: 'server' }, subject: meta.id, data: { incarnation } });
    tx.changed('ledger', meta.id);
    return { ...ended, incarnation };
  });
}
