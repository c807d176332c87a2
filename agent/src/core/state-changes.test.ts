import { instantMs, MINUTE } from '@curfew/shared';
import assert from 'node:assert/strict';
import type { AgentState, GrantRecord } from '../ports/state-file.js';
import { withEnded, withFloorOf } from './state-changes.js';

const STATE: AgentState = {
  ...{
    version: 2,
    bootId: 'boot-1',
    deviceId: 'dev-1',
    incarnation: 2,
    floorGeneration: 7,
    floorEpoch: 5,
    latestSignedMs: 900,
  },
  ...{ checkpoint: '', desiredCheckpoint: 'old', grants: [], ended: [] },
};

const desired = (change: Partial<Parameters<typeof withFloorOf>[1]> = {}) => ({
  ...{ incarnation: 2, generation: 8, revokedEpoch: 3, checkpoint: '', leases: [{ issuedAtMs: 400 }], ...change },
});

const NOW = instantMs(1_000);

const gone = (...epochs: number[]): GrantRecord[] => epochs.map((epoch) => ({ epoch }) as GrantRecord);

describe('the floor after a desired state', () => {
  const cases = [
    { name: 'is never lower than before', change: {}, ends: [], epoch: 5 },
    { name: 'is what was revoked', change: { revokedEpoch: 6 }, ends: [], epoch: 6 },
    { name: 'is what it ends, be it revoked or not', change: {}, ends: [9, 4], epoch: 9 },
    { name: 'counts from the start in a newer incarnation', change: { incarnation: 3 }, ends: [9], epoch: 3 },
  ];
  for (const { name, change, ends, epoch } of cases)
    it(name, () => {
      const { floorEpoch, floorGeneration, incarnation } = withFloorOf(
        STATE,
        desired(change),
        gone(...ends),
        new Set(),
        NOW,
      );
      const expected = {
        floorEpoch: epoch,
        floorGeneration: 8,
        incarnation: 'incarnation' in change ? change.incarnation : 2,
      };
      assert.deepEqual({ floorEpoch, floorGeneration, incarnation }, expected);
    });

  it('comes with the latest time that was signed, and with the newest checkpoint that was told', () => {
    assert.equal(withFloorOf(STATE, desired(), [], new Set(), NOW).latestSignedMs, 900);
    assert.equal(
      withFloorOf(STATE, desired({ leases: [{ issuedAtMs: 901 }] }), [], new Set(), NOW).latestSignedMs,
      901,
    );
    assert.equal(withFloorOf(STATE, desired(), [], new Set(), NOW).desiredCheckpoint, 'old');
    assert.equal(withFloorOf(STATE, desired({ checkpoint: 'new' }), [], new Set(), NOW).desiredCheckpoint, 'new');
  });

  it('remembers no time that its own clock could not agree with', () => {
    const signedAt = (...at: number[]): number =>
      withFloorOf(STATE, desired({ leases: at.map((issuedAtMs) => ({ issuedAtMs })) }), [], new Set(), NOW)
        .latestSignedMs;
    const last = NOW + 2 * MINUTE;
    assert.equal(signedAt(last), last);
    assert.equal(signedAt(last + 1), 900);
    assert.equal(signedAt(last + 1, 901), 901);
  });

  it('leaves the ends of which the server has not heard, and no others', () => {
    const ended = ['a', 'b'].map((sessionId) => ({ sessionId }) as AgentState['ended'][number]);
    const after = withFloorOf({ ...STATE, ended }, desired(), [], new Set(['b']), NOW);
    assert.deepEqual(after.ended, [{ sessionId: 'b' }]);
  });
});

describe('an end', () => {
  it('stands in the place of an earlier one of the same session, and beside those of others', () => {
    const end = (sessionId: string, code: string) => ({ sessionId, code }) as AgentState['ended'][number];
    const before = { ...STATE, ended: [end('a', 'first'), end('b', 'other')] };
    assert.deepEqual(withEnded(before, end('a', 'second')).ended, [end('b', 'other'), end('a', 'second')]);
  });
});
