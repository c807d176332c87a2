import { HOUR, MINUTE, SECOND, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { waitAfterFailure, waitOutOfReach } from './retry-plan.js';

const range = (waitMs: (failures: number) => number, failures: number): [number, number] => {
  const waits = Array.from({ length: 200 }, () => waitMs(failures));
  return [Math.min(...waits), Math.max(...waits)];
};

describe('waits between attempts', () => {
  it('begin within seconds, grow, and are an hour at most', () => {
    const wait = (failures: number) => waitAfterFailure(systemRandom, failures);
    assert.ok(range(wait, 1)[0] >= 1 * SECOND && range(wait, 1)[1] <= 2 * SECOND);
    assert.ok(range(wait, 4)[0] >= 8 * SECOND);
    assert.ok(range(wait, 40)[0] >= 30 * MINUTE && range(wait, 40)[1] <= HOUR);
  });

  it('are as long as the resource asks, up to an hour', () => {
    assert.equal(waitAfterFailure(systemRandom, 1, 10 * MINUTE), 10 * MINUTE);
    assert.equal(waitAfterFailure(systemRandom, 1, 10 * HOUR), HOUR);
    assert.equal(waitOutOfReach(systemRandom, 1, 10 * HOUR), HOUR);
  });

  it('are for a whole connector from the third failure on, and never long', () => {
    assert.equal(waitOutOfReach(systemRandom, 2, undefined), undefined);
    const wait = (failures: number) => waitOutOfReach(systemRandom, failures, undefined) ?? 0;
    assert.ok(range(wait, 3)[0] >= 1 * SECOND && range(wait, 3)[1] <= 4 * SECOND);
    assert.ok(range(wait, 100)[1] <= 5 * MINUTE);
  });
});
