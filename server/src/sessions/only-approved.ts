import { CurfewError } from '@curfew/shared';
import type { DeviceRow } from '../devices/find-device.js';
import type { LedgerTransaction } from '../ledger/ledger.js';
import type { AccountIdentity } from './session-record.js';

/**
 * The only approved request of an account on a device. Errors: REQUEST_NOT_APPROVED for one that waits to be decided,
 * NOTHING_APPROVED, ID_AMBIGUOUS.
 */
export async function onlyApproved(
  tx: LedgerTransaction,
  device: DeviceRow,
  account: AccountIdentity,
): Promise<string> {
  const rows = await tx.db
    .selectFrom('access_request')
    .select(['id', 'account', 'state'])
    .where('device_id', '=', device.id)
    .where('state', 'in', ['approved', 'pending'])
    .execute();
  const own = rows.filter((row) => (JSON.parse(row.account) as AccountIdentity).uid === account.uid);
  const [approved, ...more] = own.filter(({ state }) => state === 'approved');
  if (more.length > 0)
    throw new CurfewError('ID_AMBIGUOUS', { given: '', count: 1 + more.length, what: 'approved requests' });
  if (approved !== undefined) return approved.id;
  const [pending] = own;
  if (pending === undefined) throw new CurfewError('NOTHING_APPROVED');
  throw new CurfewError('REQUEST_NOT_APPROVED', { id: pending.id, state: pending.state });
}
