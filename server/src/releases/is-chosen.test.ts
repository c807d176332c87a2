import { newId, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { isChosen } from './is-chosen.js';

describe('the devices of a rollout', () => {
  const ids = Array.from({ length: 2_000 }, () => newId('device', systemRandom));
  const chosen = (percent: number, deviceIds: readonly string[] = []): string[] =>
    ids.filter((id) => isChosen(id, { percent, deviceIds }));

  it('are all with 100 %, and none with 0 %', () => {
    assert.deepEqual(chosen(100), ids);
    assert.deepEqual(chosen(0), []);
  });

  it('are about the share that is asked for, and a larger share has all of a smaller one', () => {
    let smaller: string[] = [];
    for (const percent of [5, 10, 50, 90]) {
      const larger = chosen(percent);
      assert.ok(Math.abs(larger.length / ids.length - percent / 100) < 0.06, `${larger.length} for ${percent} %`);
      assert.ok(smaller.every((id) => larger.includes(id)));
      smaller = larger;
    }
  });

  it('are also those that are named', () => {
    assert.deepEqual(chosen(0, ids.slice(3, 5)), ids.slice(3, 5));
  });
});
