import assert from 'node:assert/strict';
import { measure } from '../bench/measure.js';
import type { Outcome } from '../bench/outcome.js';
import { renderOutcome } from '../bench/report.js';
import { quantile } from '../bench/statistics.js';
import { describeOn } from '../support/machine-needs.js';

/** Enough to walk every step once; the figures say nothing. */
const TINY = { links: [1, 3], bulk: 3, sessions: 20, runs: 1, rounds: 2, warmUp: 1 };

const EXPECTED = [
  { id: 'B1', figures: 6, ratios: 6, samples: 2 },
  { id: 'B1b', figures: 6, ratios: 2, samples: 1 },
  { id: 'B2', figures: 2, ratios: 1, samples: 1 },
  { id: 'B5', figures: 4, ratios: 2, samples: 1 },
  { id: 'B7', figures: 7, ratios: 6, samples: 2 },
] as const;

describeOn(['devices'], 'the benchmarks', function () {
  this.timeout(120_000);

  for (const { id, figures, ratios, samples } of EXPECTED)
    it(`${id} measures what it says, and tells both sides of every ratio`, async () => {
      const outcome: Outcome = await measure(id, TINY);
      assert.deepEqual([outcome.figures.length, outcome.ratios.length], [figures, ratios]);
      for (const figure of outcome.figures) assert.equal(figure.samples, samples, figure.name);
      const spreads = [
        ...outcome.ratios.map(({ value }) => value),
        ...outcome.figures.flatMap(({ values }) => Object.values(values)),
      ];
      for (const { min, median, max } of spreads) assert.ok(0 < min && min <= median && median <= max);
      const text = renderOutcome(outcome, { colour: false });
      for (const { name } of [...outcome.ratios, ...outcome.figures]) assert.ok(text.includes(name), name);
    });

  it('take the nearest rank as a quantile', () => {
    const samples = Array.from({ length: 100 }, (_, at) => 100 - at);
    assert.deepEqual(
      [0, 0.5, 0.99, 1].map((q) => quantile(samples, q)),
      [1, 50, 99, 100],
    );
  });
});
