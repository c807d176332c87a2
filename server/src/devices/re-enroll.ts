import type { InstantMs } from '@curfew/shared';
import { sql } from 'kysely';
import type { LedgerTransaction } from '../ledger/ledger.js';
import { moveRequest, requestFromRow, selectRequests } from '../requests/request-record.js';
import { endSessions } from '../sessions/end-sessions.js';
import type { DeviceFactsRecord } from './device-report.js';
import type { DeviceRow } from './find-device.js';

const SERVER = { kind: 'server' } as const;

/** Who a device is from now on, and by whose leave. */
export interface NewKey {
  readonly keyHash: string;
  readonly facts: DeviceFactsRecord;
  readonly joinToken: string;
}

/**
 * Gives a device that was set up anew its new key. Its record, name, labels and history stay; its former key is refused
 * from then on. Whatever was decided for the former installation is over: its sessions end, its requests are cancelled,
 * every epoch that was given counts as revoked, and its accounts are unknown until the new agent tells of them.
 */
export async function reEnroll(
  tx: LedgerTransaction,
  device: DeviceRow,
  key: NewKey,
  now: InstantMs,
): Promise<DeviceRow> {
  const detail = 'the device was enrolled anew';
  const decision = { reason: 'device_removed', by: '', actor: SERVER, detail } as const;
  const sessions = await endSessions(tx, now, { deviceId: device.id }, decision);
  const requests = await selectRequests(tx.db)
    .where('r.device_id', '=', device.id)
    .where('r.state', 'in', ['pending', 'approved'])
    .execute();
  for (const row of requests) await moveRequest(tx, requestFromRow(row), 'cancelled', now, SERVER);
  await tx.db
    .insertInto('device_former_key')
    .values({ key_hash: device.key_hash, device_id: device.id, replaced_at_ms: now })
    .execute();
  await tx.db.deleteFrom('device_account').where('device_id', '=', device.id).execute();
  await tx.db
    .updateTable('device')
    .set({
      key_hash: key.keyHash,
      key_since_ms: now,
      state: 'enrolled',
      facts: JSON.stringify(key.facts),
      findings: '[]',
      silent_since_ms: null,
      generation: sql`generation + 1`,
      revoked_epoch: sql`epoch`,
      ...{ update_state: null, update_version: '', update_code: '', update_detail: '', update_since_ms: null },
      update_trouble: '',
    })
    .where('id', '=', device.id)
    .execute();
  tx.audit({
    type: 'device.re_enrolled',
    actor: SERVER,
    subject: device.id,
    data: {
      name: device.name,
      joinToken: key.joinToken,
      keyHash: key.keyHash,
      formerKeyHash: device.key_hash,
      sessions: sessions.length,
      requests: requests.length,
    },
  });
  tx.changed('device', device.id, device.id);
  return tx.db.selectFrom('device').selectAll().where('id', '=', device.id).executeTakeFirstOrThrow();
}
