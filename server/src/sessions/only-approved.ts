import { CurfewError } from '@curfew/shared';
import type { DeviceRow } from '../devices/find-device.js';
import type { LedgerTransaction } from '../ledger/ledger.js';
import type { AccountIdentity } from './session-record.js';

/** The only approved request of an account on a device. Errors: REQUEST_NOT_FOUND, ID_AMBIGUOUS. */
export async function onlyApproved(
  tx: LedgerTransaction,
  device: DeviceRow,
  account: AccountIdentity,
): Promise<string> {
  const rows = await tx.db
    .selectFrom('access_request')
    .select(['id', 'account'])
    .where('device_id', '=', device.id)
    .where('state', '=', 'approved')
    .execute();
  const own = rows.filter((row) => (JSON.parse(row.account) as AccountIdentity).uid === account.uid);
  if (own.length > 1)
    throw new CurfewError('ID_AMBIGUOUS', { given: '', count: own.length, what: 'approved requests' });
  if (own[0] === undefined) throw new CurfewError('REQUEST_NOT_FOUND', { given: 'approved' });
  return own[0].id;
}
