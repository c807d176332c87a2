import type { Account } from '@curfew/proto';
import { CurfewError } from '@curfew/shared';
import assert from 'node:assert/strict';
import { accountNumber } from '../sessions/account-number.js';
import { accountFromProto } from './device-caller.js';
import { leaseAccount } from './lease-account.js';

const SID = 'S-1-5-21-1004336348-1177238915-682003330-1001';
const FINGERPRINT = 'a'.repeat(64);

const account = (change: Partial<Account>): Account => ({
  name: 'alice',
  uid: undefined,
  sid: '',
  fingerprint: FINGERPRINT,
  standingAdmin: false,
  ineligibleReason: '',
  ...change,
});

describe('an account that a device names', () => {
  it('is its uid, and a lease names it by that', () => {
    const found = accountFromProto(account({ uid: 1001 }));
    assert.deepEqual(found, { name: 'alice', uid: 1001, fingerprint: FINGERPRINT });
    assert.deepEqual(leaseAccount(found), { name: 'alice', uid: 1001, sid: '', fingerprint: FINGERPRINT });
  });

  it('is a number made of its SID on Windows, and a lease names it by the SID alone', () => {
    const found = accountFromProto(account({ sid: SID }));
    assert.deepEqual(found, { name: 'alice', uid: accountNumber(SID), sid: SID, fingerprint: FINGERPRINT });
    assert.deepEqual(leaseAccount(found), { name: 'alice', uid: null, sid: SID, fingerprint: FINGERPRINT });
  });

  for (const [name, change, code] of [
    ['neither uid nor SID', {}, 'FIELD_INVALID'],
    ['both', { uid: 1001, sid: SID }, 'FIELD_INVALID'],
    ['no fingerprint', { sid: SID, fingerprint: '' }, 'FIELD_INVALID'],
    ['root', { uid: 0 }, 'ACCOUNT_INELIGIBLE'],
    ['LocalSystem', { sid: 'S-1-5-18' }, 'ACCOUNT_INELIGIBLE'],
    ['a group', { sid: 'S-1-5-32-544' }, 'ACCOUNT_INELIGIBLE'],
    ['a hidden sign in the name', { sid: SID, name: 'ali\u202ece' }, 'ACCOUNT_INELIGIBLE'],
  ] as const)
    it(`is refused with ${name}`, () => {
      assert.throws(
        () => accountFromProto(account(change)),
        (error: unknown) => error instanceof CurfewError && error.code === code,
      );
    });
});
