import { CurfewError } from '@curfew/shared';
import type { OwnAccount } from './own-accounts.js';

/** The account of a person on a device; '' means their only one. Errors: FIELD_INVALID, ACCOUNT_NOT_FOUND, ACCOUNT_INELIGIBLE. */
export function chosenAccount(own: readonly OwnAccount[], user: { readonly name: string }, given: string): OwnAccount {
  const fitting = given === '' ? own : own.filter(({ name }) => name === given);
  if (fitting.length > 1) {
    const problem = `you have several there, so name one: ${own.map(({ name }) => name).join(', ')}`;
    throw new CurfewError('FIELD_INVALID', { field: 'account', problem });
  }
  const [account] = fitting;
  if (account === undefined) throw new CurfewError('ACCOUNT_NOT_FOUND', { given: given === '' ? user.name : given });
  const { ineligibleReason: why } = account;
  if (why !== '') throw new CurfewError('ACCOUNT_INELIGIBLE', { account: account.name, why });
  return account;
}
