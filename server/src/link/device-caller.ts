import type { Account } from '@curfew/proto';
import { CurfewError, hasUnsafeText } from '@curfew/shared';
import type { DeviceRow } from '../devices/find-device.js';
import type { Identity } from '../rpc/authenticate.js';
import { accountNumber, isPersonSid } from '../sessions/account-number.js';
import type { AccountIdentity } from '../sessions/session-record.js';

/** The device that calls. Errors: DEVICE_CERTIFICATE_REQUIRED. */
export function deviceOf(identity: Identity): DeviceRow {
  if (identity.kind !== 'device') throw new CurfewError('DEVICE_CERTIFICATE_REQUIRED');
  return identity.device;
}

/** Errors: ACCOUNT_INELIGIBLE, FIELD_INVALID. Root and unknown accounts are never elevated, whatever an agent says. */
export function accountFromProto(account: Account | undefined): AccountIdentity {
  const number = account === undefined ? undefined : numberOf(account);
  if (account === undefined || number === undefined)
    throw new CurfewError('FIELD_INVALID', { field: 'account.uid', problem: 'is required' });
  const { name, sid, fingerprint } = account;
  if (fingerprint === '')
    throw new CurfewError('FIELD_INVALID', { field: 'account.fingerprint', problem: 'is required' });
  const isPerson = sid === '' ? number !== 0 && number < 2 ** 31 : isPersonSid(sid);
  if (!isPerson) {
    const why = sid === '' ? `uid ${number} is not a person's` : `SID ${sid} is not a person's`;
    throw new CurfewError('ACCOUNT_INELIGIBLE', { account: name, why });
  }
  if (hasUnsafeText(name))
    throw new CurfewError('ACCOUNT_INELIGIBLE', {
      account: name,
      why: 'its name holds characters that nobody can see',
    });
  return { name, uid: number, ...(sid !== '' && { sid }), fingerprint };
}

/** The number of an account by its SID, or else its uid; undefined for one that has neither, or both. */
export const numberOf = ({ uid, sid }: Pick<Account, 'uid' | 'sid'>): number | undefined => {
  if (sid === '') return uid;
  return uid === undefined ? accountNumber(sid) : undefined;
};
