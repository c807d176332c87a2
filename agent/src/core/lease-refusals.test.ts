import assert from 'node:assert/strict';
import { countRefusals, unsoundAmong } from './lease-refusals.js';

const UNSOUND = [
  'LEASE_SIGNATURE_INVALID',
  'LEASE_MALFORMED',
  'LEASE_WRONG_DEVICE',
  'LEASE_WRONG_INCARNATION',
  'LEASE_NONCE_UNKNOWN',
  'LEASE_REPLAYED',
] as const;

describe('refusals of leases', () => {
  for (const code of UNSOUND)
    it(`are a finding when the code is ${code}`, () => {
      assert.deepEqual(unsoundAmong(undefined, 'LEASE_EXPIRED', code), [code]);
    });

  it('are none when a sound server could have brought them about', () => {
    assert.deepEqual(unsoundAmong(undefined, '', 'LEASE_EXPIRED', 'ACCOUNT_INELIGIBLE'), []);
  });

  it('are counted by code', () => {
    const codes = ['LEASE_REPLAYED', 'LEASE_MALFORMED', 'LEASE_REPLAYED'] as const;
    assert.deepEqual(
      [...countRefusals(codes)],
      [
        ['LEASE_REPLAYED', 2],
        ['LEASE_MALFORMED', 1],
      ],
    );
    assert.equal(countRefusals([]).size, 0);
  });
});
