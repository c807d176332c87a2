import { DAY } from '@curfew/shared';
import { readMeta, writeMeta } from '../ledger/ledger-meta.js';
import type { LedgerTransaction } from '../ledger/ledger.js';
import { deviceActor } from './device-actor.js';
import type { DeviceRow } from './find-device.js';

/** A device that only says so is not noted again for so long. */
const CLAIM_NOTED_FOR_MS = DAY;

/**
 * Notes that a device has seen something newer than this ledger. With a proof, which is a checkpoint that this ledger has signed and
 * whose log it does not have, nothing is granted to anybody until an operator recovers it. Without one it is the word of whoever is root
 * on that device: it is in the audit log, and concerns nobody else.
 */
export async function noteRollback(
  tx: LedgerTransaction,
  device: DeviceRow,
  detail: string,
  isProven: boolean,
  now: number,
): Promise<void> {
  const meta = await readMeta(tx.db);
  if (meta.rolledBack !== '') return;
  const type = isProven ? 'ledger.rollback_detected' : 'ledger.rollback_claimed';
  if (!isProven) {
    const before = await tx.db
      .selectFrom('audit_event')
      .select('idx')
      .where('subject', '=', device.id)
      .where('type', '=', type)
      .where('at_ms', '>', now - CLAIM_NOTED_FOR_MS)
      .limit(1)
      .executeTakeFirst();
    if (before !== undefined) return;
  }
  tx.audit({ type, actor: deviceActor(device), subject: device.id, data: { detail } });
  if (!isProven) return;
  await writeMeta(tx.db, { rolledBack: `${device.name}: ${detail}` });
  tx.changed('ledger', meta.id);
}
