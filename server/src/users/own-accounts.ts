import type { LedgerReader } from '../ledger/ledger.js';
import type { Settings } from '../settings.js';
import type { UserRecord } from './users.js';

/** A person's account on a device, as the device has reported it. */
export interface OwnAccount {
  readonly deviceId: string;
  readonly name: string;
  readonly uid: number;
  readonly sid: string;
  readonly fingerprint: string;
  readonly ineligibleReason: string;
  /** Whether it is tied to the user already; else it is theirs by its name. */
  readonly linked: boolean;
}

const COLUMNS = [
  'a.device_id as deviceId',
  'a.name',
  'a.uid',
  'a.sid',
  'a.fingerprint',
  'a.ineligible_reason as ineligibleReason',
] as const;

/**
 * The accounts that are a user's: those that are linked, and where the configuration links by name those of the same name
 * that nobody else has.
 */
export async function ownAccounts(
  db: LedgerReader,
  settings: Pick<Settings, 'linkAccounts'>,
  user: Pick<UserRecord, 'id' | 'name'>,
  deviceId?: string,
): Promise<OwnAccount[]> {
  let linked = db
    .selectFrom('account_link as l')
    .innerJoin('device_account as a', (join) =>
      join.onRef('a.device_id', '=', 'l.device_id').onRef('a.uid', '=', 'l.uid').onRef('a.name', '=', 'l.account_name'),
    )
    .select(COLUMNS)
    .where('l.user_id', '=', user.id);
  if (deviceId !== undefined) linked = linked.where('l.device_id', '=', deviceId);
  const own = (await linked.execute()).map((account) => ({ ...account, linked: true }));
  if (settings.linkAccounts === 'manual') return own;
  let named = db
    .selectFrom('device_account as a')
    .leftJoin('account_link as l', (join) =>
      join.onRef('l.device_id', '=', 'a.device_id').onRef('l.uid', '=', 'a.uid').onRef('l.account_name', '=', 'a.name'),
    )
    .select(COLUMNS)
    .where('l.user_id', 'is', null)
    .where(({ fn, eb }) => eb(fn<string>('lower', ['a.name']), '=', user.name.toLowerCase()));
  if (deviceId !== undefined) named = named.where('a.device_id', '=', deviceId);
  const byName = (await named.execute()).map((account) => ({ ...account, linked: false }));
  return [...own, ...byName];
}
