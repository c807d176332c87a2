import { CurfewError } from '@curfew/shared';
import { deviceActor } from '../devices/device-actor.js';
import type { DeviceRow } from '../devices/find-device.js';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import type { AccountIdentity } from '../sessions/session-record.js';
import type { Settings } from '../settings.js';
import type { UseCaseContext } from '../use-case-context.js';
import { insertLink, insertUser, userById, type UserRecord } from './users.js';

/**
 * The user that an account belongs to; at the first request linked by name where the configuration allows it, and made
 * where there is none. Errors: ACCOUNT_INELIGIBLE, USER_DISABLED.
 */
export async function userOfAccount(
  tx: LedgerTransaction,
  context: UseCaseContext,
  device: DeviceRow,
  account: AccountIdentity,
): Promise<UserRecord> {
  const found = await findUserOfAccount(tx.db, context.settings, device, account);
  if (found?.linked === true) return found.user;
  if (found === undefined && context.settings.linkAccounts === 'manual') throw belongsToNobody(account);
  const actor = deviceActor(device);
  const user =
    found?.user ?? (await insertUser(tx, context, actor, { name: account.name, displayName: '', role: 'user' }));
  await linkByName(tx, device, account, user);
  return user;
}

/** As `userOfAccount`, but for users that are there: none is made. Errors: ACCOUNT_INELIGIBLE, USER_DISABLED. */
export async function knownUserOfAccount(
  tx: LedgerTransaction,
  { settings }: UseCaseContext,
  device: DeviceRow,
  account: AccountIdentity,
): Promise<UserRecord> {
  const found = await findUserOfAccount(tx.db, settings, device, account);
  if (found === undefined) throw belongsToNobody(account);
  if (!found.linked) await linkByName(tx, device, account, found.user);
  return found.user;
}

/** The user whom `knownUserOfAccount` gives; undefined when there is none. Changes nothing. Errors: USER_DISABLED. */
export async function findUserOfAccount(
  db: LedgerReader,
  { linkAccounts }: Pick<Settings, 'linkAccounts'>,
  device: Pick<DeviceRow, 'id'>,
  account: AccountIdentity,
): Promise<{ readonly user: UserRecord; readonly linked: boolean } | undefined> {
  const link = await db
    .selectFrom('account_link')
    .select(['user_id', 'account_name'])
    .where('device_id', '=', device.id)
    .where('uid', '=', account.uid)
    .executeTakeFirst();
  if (link?.account_name === account.name) return { user: enabled(await userById(db, link.user_id)), linked: true };
  if (linkAccounts === 'manual') return undefined;
  const named = await db
    .selectFrom('app_user')
    .select('id')
    .where('name_key', '=', account.name.toLowerCase())
    .executeTakeFirst();
  return named === undefined ? undefined : { user: enabled(await userById(db, named.id)), linked: false };
}

/** The refusal for an account that no user has. */
export const belongsToNobody = ({ name }: AccountIdentity): CurfewError =>
  new CurfewError('ACCOUNT_INELIGIBLE', { account: name, why: 'no user is linked to it; ask an operator to link it' });

async function linkByName(
  tx: LedgerTransaction,
  device: DeviceRow,
  account: AccountIdentity,
  user: UserRecord,
): Promise<void> {
  const row = {
    device_id: device.id,
    uid: account.uid,
    account_name: account.name,
    user_id: user.id,
    linked_by: 'by name',
  };
  await insertLink(tx, row, deviceActor(device));
}

function enabled(user: UserRecord): UserRecord {
  if (user.disabled === 1) throw new CurfewError('USER_DISABLED', { user: user.name });
  return user;
}
