import type { EndReason, Logger } from '@curfew/shared';
import { keyOf } from '../ports/account-key.js';
import type { AccountDirectory } from '../ports/account-directory.js';
import type { PrivilegeHost } from '../ports/privilege-host.js';
import type { GrantRecord } from '../ports/state-file.js';

export interface RightsLook {
  readonly host: Pick<PrivilegeHost, 'inspect'>;
  readonly accounts: Pick<AccountDirectory, 'byKey'>;
  readonly logger: Logger;
  /** The rights on record of which no removal runs, as of each call. */
  readonly records: () => readonly GrantRecord[];
  /** Whether the accounts are looked at as well. */
  readonly withAccounts: boolean;
  /** A right has to end, for this reason. */
  readonly found: (record: GrantRecord, reason: EndReason, detail: string) => void;
}

/** Looks whether every right is still as it was made, and whose it was. What cannot be looked at now is next time. */
export async function lookAtRights({
  host,
  accounts,
  logger,
  records,
  withAccounts,
  found,
}: RightsLook): Promise<void> {
  for (const record of records())
    try {
      if (record.phase === 'held' && records().includes(record)) await look(record);
    } catch (error) {
      // The others are looked at all the same.
      logger.error('a right could not be inspected, will try again', { sessionId: record.sessionId, error });
    }

  async function look(record: GrantRecord): Promise<void> {
    const condition = await host.inspect(record);
    const detail =
      condition === 'absent' ? 'the right was removed on the device' : 'the right was changed on the device';
    if (condition !== 'live') {
      if (records().includes(record)) found(record, 'tampered', detail);
    } else if (withAccounts) await checkAccount(record);
  }

  async function checkAccount(record: GrantRecord): Promise<void> {
    const account = await accounts.byKey(keyOf(record.account));
    if (account?.fingerprint === record.account.fingerprint && account.name === record.account.name) return;
    const detail = account === undefined ? 'the account is gone' : 'the account is another one now';
    if (records().includes(record)) found(record, 'account_removed', detail);
  }
}
