import assert from 'node:assert/strict';
import { Backoff } from './backoff.js';

describe('backoff', () => {
  const backoff = (fraction: number): Backoff =>
    new Backoff({ bytes: (count) => Buffer.alloc(count), fraction: () => fraction }, 200, 15_000);
  const waits = (from: Backoff, count: number, mostMs?: number): number[] =>
    Array.from({ length: count }, () => from.next(mostMs));

  it('doubles its limit up to the most, and begins again after a reset', () => {
    const latest = backoff(1);
    assert.deepEqual(waits(latest, 9), [200, 400, 800, 1600, 3200, 6400, 12_800, 15_000, 15_000]);
    latest.reset();
    assert.equal(latest.next(), 200);
  });

  it('never waits less than the least, whatever chance says', () => {
    assert.deepEqual(new Set(waits(backoff(0), 5)), new Set([200]));
  });

  it('waits no longer than it is told for this once', () => {
    const latest = backoff(1);
    assert.deepEqual(waits(latest, 6, 1_000), [200, 400, 800, 1_000, 1_000, 1_000]);
    assert.equal(latest.next(), 12_800);
  });
});
