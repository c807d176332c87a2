import { CurfewError } from '@curfew/shared';
import { deviceActor } from '../devices/device-actor.js';
import type { DeviceRow } from '../devices/find-device.js';
import type { LedgerTransaction } from '../ledger/ledger.js';

/** What became of the processes that a session left running, as its device says. */
export interface ProcessOutcome {
  readonly ended: number;
  /** Those that run on. */
  readonly left: number;
  /** Some of those by the names of their programs. Hostile text. */
  readonly leftNames: readonly string[];
}

/**
 * Notes what a device says of the processes of one of its sessions. The same once more changes nothing. Errors:
 * SESSION_NOT_FOUND, DEVICE_IDENTITY_CONFLICT.
 */
export async function noteProcesses(
  tx: LedgerTransaction,
  device: DeviceRow,
  id: string,
  outcome: ProcessOutcome,
): Promise<void> {
  // While two agents use one identity, what one of them says proves nothing.
  if (device.state === 'identity_conflict') throw new CurfewError('DEVICE_IDENTITY_CONFLICT', { device: device.name });
  const session = await tx.db
    .selectFrom('session')
    .select(['processes'])
    .where('id', '=', id)
    .where('device_id', '=', device.id)
    .executeTakeFirst();
  if (session === undefined) throw new CurfewError('SESSION_NOT_FOUND', { given: id });
  const { ended, left, leftNames } = outcome;
  const processes = JSON.stringify({ ended, left, leftNames });
  if (session.processes === processes) return;
  tx.audit({ type: 'session.processes', actor: deviceActor(device), subject: id, data: { ended, left, leftNames } });
  const revision = tx.changed('session', id);
  await tx.db.updateTable('session').set({ processes, revision }).where('id', '=', id).execute();
}
