import { durationMs, ManualClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { Throttle } from './throttle.js';

describe('a throttle', () => {
  it('runs soon after it is asked, and once per interval while it is asked more often', () => {
    const clock = new ManualClock();
    const runs: number[] = [];
    const start = clock.now();
    const throttle = new Throttle(clock, 150, 900, () => runs.push(clock.now() - start));
    for (let ms = 0; ms < 3_000; ms += 10) {
      throttle.ask();
      clock.advance(durationMs(10));
    }
    assert.deepEqual(runs, [150, 1_200, 2_250]);
    clock.advance(durationMs(5_000));
    assert.equal(runs.length, 4);
    clock.advance(durationMs(5_000));
    assert.equal(runs.length, 4);
  });

  it('runs no more once it is stopped', () => {
    const clock = new ManualClock();
    let runs = 0;
    const throttle = new Throttle(clock, 150, 900, () => runs++);
    throttle.ask();
    throttle.stop();
    clock.advance(durationMs(5_000));
    assert.equal(runs, 0);
  });
});
