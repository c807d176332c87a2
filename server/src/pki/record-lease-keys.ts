import type { Actor } from '../audit/audit-entry.js';
import type { Ledger } from '../ledger/ledger.js';
import { readMeta, writeMeta } from '../ledger/ledger-meta.js';
import type { LeaseKeys } from './lease-keys.js';

/**
 * Notes in the audit log that there are new lease keys, if it does not say so yet; other servers hear of them by that. It
 * is called again and again, so that what could not be noted once is made up for.
 */
export async function recordLeaseKeys(
  ledger: Ledger,
  leaseKeys: Pick<LeaseKeys, 'set'>,
  actor: Actor = { kind: 'server' },
): Promise<void> {
  const { version, keys } = leaseKeys.set;
  if ((await ledger.read((db) => readMeta(db))).leaseKeysVersion >= version) return;
  await ledger.write(async (tx) => {
    const meta = await readMeta(tx.db);
    if (meta.leaseKeysVersion >= version) return;
    await writeMeta(tx.db, { leaseKeysVersion: version });
    const kid = keys[0]?.kid ?? '';
    tx.audit({ type: 'lease_keys.made', actor, subject: meta.id, data: { version, kid } });
    tx.changed('ledger', meta.id);
  });
}
