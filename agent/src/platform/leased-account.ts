import { CurfewError } from '@curfew/shared';
import type { AccountDirectory } from '../ports/account-directory.js';
import { keyOf } from '../ports/account-key.js';
import type { GrantAccount } from '../ports/privilege-host.js';

/**
 * Sees that an account is the one that a lease names, and may be elevated. A Unix has uids, Windows none. Errors:
 * ACCOUNT_CHANGED, ACCOUNT_INELIGIBLE.
 */
export async function assertLeased(accounts: AccountDirectory, named: GrantAccount, hasUids: boolean): Promise<void> {
  const account = (named.uid !== null) === hasUids ? await accounts.byKey(keyOf(named)) : undefined;
  if (account?.fingerprint !== named.fingerprint || account.name !== named.name)
    throw new CurfewError('ACCOUNT_CHANGED');
  if (account.ineligibleReason !== '')
    throw new CurfewError('ACCOUNT_INELIGIBLE', { account: account.name, why: account.ineligibleReason });
}
