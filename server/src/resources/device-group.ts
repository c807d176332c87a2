import { CurfewError, type GrantOptions } from '@curfew/shared';
import type { Actor } from '../audit/audit-entry.js';
import { findDevice, type DeviceRow } from '../devices/find-device.js';
import type { LedgerTransaction } from '../ledger/ledger.js';
import type { AccountIdentity } from '../sessions/session-record.js';
import type { UseCaseContext } from '../use-case-context.js';
import { chosenAccount } from '../users/chosen-account.js';
import { ownAccounts } from '../users/own-accounts.js';
import { insertLink, type UserRecord } from '../users/users.js';
import { DEVICE_GROUP, type ResourceRow } from './find-resource.js';

/** What a lease for a device's group says. */
const groupOptions = (group: string): GrantOptions => ({
  kind: 'group_membership',
  passwordRequired: false,
  commands: [],
  runAs: '',
  group,
});

/** What stands for options and account where a resource is on no device. */
export const NO_OPTIONS = groupOptions('');
const NO_ACCOUNT: AccountIdentity = { name: '', uid: 0, fingerprint: '' };

/** Where and as whom a user gets a resource; without a device, the driver of connectors finds that out. */
export interface ResourcePlace {
  readonly device: DeviceRow | undefined;
  readonly account: AccountIdentity;
  readonly options: GrantOptions;
}

/**
 * The place of a resource for a user. A device's group is given to the user's account there, which is linked if it is
 * theirs by its name. Errors: DEVICE_NOT_FOUND, ACCOUNT_NOT_FOUND, ACCOUNT_INELIGIBLE, FIELD_INVALID.
 */
export async function placeOf(
  tx: LedgerTransaction,
  { settings }: UseCaseContext,
  resource: ResourceRow,
  user: UserRecord,
  asked: { readonly account: string; readonly actor: Actor },
): Promise<ResourcePlace> {
  if (resource.kind !== DEVICE_GROUP) return { device: undefined, account: NO_ACCOUNT, options: NO_OPTIONS };
  const { group = '' } = JSON.parse(resource.target) as Readonly<Record<string, string>>;
  const device = await findDevice(tx.db, resource.device_id ?? '');
  if (device.state === 'removed') throw new CurfewError('DEVICE_NOT_FOUND', { given: device.name });
  const own = await ownAccounts(tx.db, settings, user, device.id);
  const account = chosenAccount(own, user, asked.account);
  if (!account.linked)
    await insertLink(
      tx,
      {
        device_id: device.id,
        uid: account.uid,
        account_name: account.name,
        user_id: user.id,
        linked_by: 'by name',
      },
      asked.actor,
    );
  const { name, uid, sid, fingerprint } = account;
  return { device, account: { name, uid, sid, fingerprint }, options: groupOptions(group) };
}
