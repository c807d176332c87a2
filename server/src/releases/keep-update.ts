import { deviceActor } from '../devices/device-actor.js';
import type { DeviceRow } from '../devices/find-device.js';
import type { LedgerTransaction } from '../ledger/ledger.js';
import { pauseFor, type Trouble } from './rollouts.js';

type UpdateState = NonNullable<DeviceRow['update_state']>;

/** What a device says of the newest release that it was offered. Its texts are hostile. */
export interface UpdateRecord {
  readonly state: UpdateState;
  readonly version: string;
  readonly code: string;
  readonly detail: string;
}

const EVENTS: Partial<Record<UpdateState, string>> = {
  installed: 'device.updated',
  refused: 'device.update_refused',
  rolled_back: 'device.update_rolled_back',
};

/**
 * Keeps what a device says of a release; undefined from one that takes none. One audit event for each end that it comes to, and a
 * rollout is paused of which a device has refused the release or gone back: saying so again does neither again, and one that has
 * tried again in vain does not pause it again. Gives whether anything is not as it was.
 */
export async function keepUpdate(
  tx: LedgerTransaction,
  device: DeviceRow,
  update: UpdateRecord | undefined,
  nowMs: number,
): Promise<boolean> {
  const { id: deviceId, name, update_state: before, update_version: versionBefore } = device;
  if (update === undefined ? before === null : before === update.state && versionBefore === update.version)
    return false;
  const { state = null, version = '', code = '', detail = '' } = update ?? {};
  await tx.db
    .updateTable('device')
    .set({
      update_state: state,
      update_version: version,
      update_code: code,
      update_detail: detail,
      update_since_ms: nowMs,
    })
    .where('id', '=', deviceId)
    .execute();
  // One that takes releases from now on may be offered one.
  if (before === null) tx.changed('device', deviceId, deviceId);
  const event = state === null ? undefined : EVENTS[state];
  // What was proved before the server ever heard of it is no news.
  if (event === undefined || (state === 'installed' && before !== 'trying' && before !== 'missing')) return true;
  const why = [code, detail].filter(Boolean).join(': ');
  const data = { name, version, ...(why === '' ? {} : { why }) };
  tx.audit({ type: event, actor: deviceActor(device), subject: deviceId, data });
  if (state === 'refused' || state === 'rolled_back')
    await pauseFor(tx, device, { state, version }, `${name} has ${WHAT[state]}: ${why}`);
  return true;
}

const WHAT: Readonly<Record<Exclude<Trouble['state'], 'missing'>, string>> = {
  refused: 'refused it',
  rolled_back: 'gone back to what it ran before',
};
