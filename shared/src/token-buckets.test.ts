import assert from 'node:assert/strict';
import { durationMs } from './instant.js';
import { ManualClock } from './manual-clock.js';
import { TokenBuckets } from './token-buckets.js';

describe('token buckets', () => {
  const pass = (clock: ManualClock, ms: number): void => clock.advance(durationMs(ms));
  const taken = (buckets: TokenBuckets, key: string, times: number): number =>
    Array.from({ length: times }, () => buckets.take(key)).filter((wait) => wait === 0).length;

  it('allow a burst, then no more than their rate, and say how long to wait', () => {
    const clock = new ManualClock();
    const buckets = new TokenBuckets(clock, { burst: 5, perSecond: 2 });
    assert.equal(taken(buckets, 'a', 10), 5);
    assert.equal(buckets.take('a'), 500);
    assert.equal(buckets.wait('a'), 500);
    pass(clock, 499);
    assert.equal(buckets.take('a'), 1);
    pass(clock, 1);
    assert.equal(buckets.wait('a'), 0);
    assert.equal(buckets.take('a'), 0);
    assert.equal(taken(buckets, 'a', 10), 0);
    pass(clock, 3_600_000);
    assert.equal(taken(buckets, 'a', 10), 5);
  });

  it('are one for each key', () => {
    const buckets = new TokenBuckets(new ManualClock(), { burst: 1, perSecond: 1 });
    assert.equal(taken(buckets, 'a', 3), 1);
    assert.equal(taken(buckets, 'b', 3), 1);
  });

  it('forget what is full before what is in use, and never grow beyond their limit', () => {
    const clock = new ManualClock();
    const buckets = new TokenBuckets(clock, { burst: 2, perSecond: 1 }, 3);
    for (const key of ['a', 'b', 'c']) buckets.take(key);
    pass(clock, 5_000);
    taken(buckets, 'b', 2);
    buckets.take('d');
    assert.equal(buckets.take('b'), 1_000, 'b is in use and remembered');
    for (let key = 0; key < 1_000; key++) buckets.take(`flood-${key}`);
    assert.equal((buckets as unknown as { buckets: Map<string, unknown> }).buckets.size, 3);
  });
});
