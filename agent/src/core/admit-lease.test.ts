import { bootMs, instantMs, MINUTE, type LeaseClaims } from '@curfew/shared';
import assert from 'node:assert/strict';
import { admitLease, type AdmissionFacts } from './admit-lease.js';
import { isOver } from './is-over.js';
import { boundedByLink } from './offline-end.js';

const LEASE = {
  deviceKeyHash: 'd',
  incarnation: 1,
  epoch: 2,
  nonce: 'n',
  durationMs: 100,
  wallEndMs: 5_000,
  issuedAtMs: 1_000,
};
const FACTS: AdmissionFacts = {
  ...{ deviceKeyHash: 'd', incarnation: 1, nonces: new Map([['n', bootMs(50)]]), floorEpoch: 1, held: false },
  ...{ latestSignedMs: 0, now: instantMs(4_999), bootNow: bootMs(149) },
};
const SIGNED = 10 * MINUTE;

describe('a lease at the very edge', () => {
  const cases = [
    { name: 'is good in its last moment', facts: {}, code: '' },
    { name: 'is over at its end by the boot clock', facts: { bootNow: bootMs(150) }, code: 'LEASE_EXPIRED' },
    { name: 'is over at its end by the wall clock', facts: { now: instantMs(5_000) }, code: 'LEASE_EXPIRED' },
    {
      name: 'is good when the clock is behind by as much as it may be',
      facts: { latestSignedMs: SIGNED, now: instantMs(SIGNED - 2 * MINUTE) },
      code: '',
    },
    {
      name: 'is refused when the clock is behind what was signed before, whatever this one says',
      facts: { latestSignedMs: SIGNED, now: instantMs(SIGNED - 2 * MINUTE - 1) },
      code: 'LEASE_CLOCK_BEHIND',
    },
  ];
  for (const { name, facts, code } of cases)
    it(name, () => {
      const lease = {
        ...LEASE,
        wallEndMs: code === 'LEASE_EXPIRED' || facts.now === undefined ? 5_000 : SIGNED,
      } as LeaseClaims;
      const admission = admitLease(lease, { ...FACTS, ...facts });
      assert.equal(admission.ok ? '' : admission.code, code);
    });

  it('is over at its end, by either clock', () => {
    const record = { deadline: bootMs(150), wallEnd: instantMs(5_000) };
    assert.equal(isOver(record, bootMs(149), instantMs(4_999)), false);
    assert.equal(isOver(record, bootMs(150), instantMs(0)), true);
    assert.equal(isOver(record, bootMs(0), instantMs(5_000)), true);
  });

  it('has its remover armed for the link that may be lost, where that is sooner', () => {
    const order = { deadline: bootMs(150), wallEnd: instantMs(5_000), offlineEndAfterMs: 20 };
    const soon = boundedByLink(order, bootMs(100), bootMs(110), instantMs(4_000));
    assert.deepEqual([soon.deadline, soon.wallEnd], [120, 4_010]);
    const late = boundedByLink(order, bootMs(140), bootMs(140), instantMs(4_990));
    assert.deepEqual([late.deadline, late.wallEnd], [150, 5_000]);
  });
});
