import assert from 'node:assert/strict';
import { measure } from '../bench/measure.js';
import { renderOutcome } from '../bench/report.js';
import { describeOn } from '../support/machine-needs.js';

/** Enough to walk every step once, two pages of 100 rows; the figures say nothing. */
const TINY = {
  links: [],
  bulk: 0,
  sessions: 200,
  people: 0,
  expiring: 0,
  crowds: [],
  restMinutes: 0,
  soakMinutes: 0,
  past: [],
  runs: 1,
  rounds: 1,
  warmUp: 0,
};

describeOn([{ program: 'chromium' }], 'the benchmark of the console', function () {
  this.timeout(120_000);

  it('B7c measures every action on Active Sessions, and tells the longest task with its goal', async () => {
    const outcome = await measure('B7c', TINY);
    const actions = outcome.figures.filter(({ name }) => name.endsWith(': on the screen'));
    const tasks = outcome.figures.filter(({ name }) => name.endsWith(': longest task'));
    assert.deepEqual([actions.length, tasks.length, outcome.ratios.length], [10, 10, 5]);
    for (const { name, samples, values } of actions) {
      assert.equal(samples, 1, name);
      assert.ok((values.p50?.median ?? 0) > 0, name);
    }
    for (const { name, values, goal } of tasks) {
      assert.deepEqual(goal, { atMost: 200 });
      assert.ok(values.p50 !== undefined && (values.p50.median === 0 || values.p50.median >= 50), name);
    }
    for (const { name, value } of outcome.ratios) assert.ok(value.median > 0, name);
    const text = renderOutcome(outcome, { colour: false });
    assert.match(text, /search: longest task .* ≤ 200/);
  });
});
