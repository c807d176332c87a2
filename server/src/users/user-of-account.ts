import { CurfewError } from '@curfew/shared';
import { deviceActor } from '../devices/device-actor.js';
import type { DeviceRow } from '../devices/find-device.js';
import type { LedgerTransaction } from '../ledger/ledger.js';
import type { AccountIdentity } from '../sessions/session-record.js';
import type { UseCaseContext } from '../use-case-context.js';
import { insertLink, insertUser, userById, type UserRecord } from './users.js';

/**
 * The user that an account belongs to; at the first request linked by name where the configuration allows it.
 * Errors: ACCOUNT_INELIGIBLE, USER_DISABLED.
 */
export async function userOfAccount(
  tx: LedgerTransaction,
  context: UseCaseContext,
  device: DeviceRow,
  account: AccountIdentity,
): Promise<UserRecord> {
  const link = await tx.db
    .selectFrom('account_link')
    .select(['user_id', 'account_name'])
    .where('device_id', '=', device.id)
    .where('uid', '=', account.uid)
    .executeTakeFirst();
  if (link?.account_name === account.name) return enabled(await userById(tx.db, link.user_id));
  if (context.settings.linkAccounts === 'manual')
    throw new CurfewError('ACCOUNT_INELIGIBLE', {
      account: account.name,
      why: 'no user is linked to it; ask an operator to link it',
    });
  const named = await tx.db
    .selectFrom('app_user')
    .select('id')
    .where('name_key', '=', account.name.toLowerCase())
    .executeTakeFirst();
  const user =
    named === undefined
      ? await insertUser(tx, context, deviceActor(device), { name: account.name, displayName: '', role: 'user' })
      : enabled(await userById(tx.db, named.id));
  const row = {
    device_id: device.id,
    uid: account.uid,
    account_name: account.name,
    user_id: user.id,
    linked_by: 'by name',
  };
  await insertLink(tx, row, deviceActor(device));
  return user;
}

function enabled(user: UserRecord): UserRecord {
  if (user.disabled === 1) throw new CurfewError('USER_DISABLED', { user: user.name });
  return user;
}
