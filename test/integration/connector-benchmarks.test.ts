import assert from 'node:assert/strict';
import { measure } from '../bench/measure.js';
import type { Outcome } from '../bench/outcome.js';
import { renderOutcome } from '../bench/report.js';
import { STAGES } from '../bench/rights/stages.js';
import { HeldPlaces } from '../bench/rights/limited-places.js';
import { describeOn } from '../support/machine-needs.js';

/** Enough to walk every step once; the figures say nothing. */
const TINY = {
  links: [],
  bulk: 0,
  sessions: 0,
  people: 2,
  expiring: 400,
  crowds: [],
  restMinutes: 0,
  soakMinutes: 0,
  past: [],
  runs: 1,
  rounds: 1,
  warmUp: 0,
};

const PROGRAMS = ['slapd', 'ldapsearch', '/usr/lib/postgresql/15/bin/postgres'].map((program) => ({ program }));

function assertTold(outcome: Outcome): void {
  for (const { name, value } of outcome.ratios) assert.ok(value.median > 0, name);
  for (const { name, values } of outcome.figures) {
    // How fast this machine meets a limit is its own affair.
    const least = name.endsWith('told to come again') ? 0 : Number.MIN_VALUE;
    assert.ok((values.p50?.median ?? -1) >= least, name);
  }
  const text = renderOutcome(outcome, { colour: false });
  for (const { name } of [...outcome.ratios, ...outcome.figures]) assert.ok(text.includes(name), name);
}

describeOn(PROGRAMS, 'the benchmark of connectors', function () {
  this.timeout(600_000);

  it('B10 measures grants and revocations of every kind, by Curfew and by its parts alone', async () => {
    const outcome = await measure('B10', TINY);
    assertTold(outcome);
    const words = STAGES.flatMap(({ title }) => [`${title}: grants`, `${title}: revocations`]);
    assert.deepEqual(
      outcome.ratios.map(({ name, goal }) => [name, goal]),
      words.map((word) => [`${word} / library alone`, { atLeast: 0.7 }]),
    );
    assert.deepEqual(
      outcome.figures.map(({ name }) => name),
      words.flatMap((word) => ['Curfew', 'connector alone', 'library alone'].map((side) => `${word}, ${side}`)),
    );
  });
});

describe('the benchmark of sessions that expire together', function () {
  this.timeout(600_000);

  it('B10b measures how late they are, and what others wait for meanwhile', async () => {
    const outcome = await measure('B10b', TINY);
    assertTold(outcome);
    const lateness = outcome.figures.filter(({ name }) => name.endsWith(': lateness'));
    assert.deepEqual(
      lateness.map(({ samples }) => samples),
      [200, 120, 80],
    );
  });

  it('B10b fails when a limit is not kept, and when somebody keeps something', async () => {
    const places = await HeldPlaces.start(
      { title: 'x', limits: { perSecond: 0, workMs: 0 }, share: 1, resources: 2 },
      0,
      4,
    );
    try {
      assert.throws(() => places.checkEnd(), /^Error: x: 4 people still have something$/);
      for (const name of places.names) places.receiver.members(name).clear();
      places.checkEnd();
      places.receiver.mostAtOnce = 9;
      assert.throws(() => places.checkEnd(), /^Error: x: 9 calls at once, and 8 are allowed$/);
      places.receiver.mostAtOnce = 8;
      places.receiver.mostEarly = 8;
      assert.throws(() => places.checkEnd(), /^Error: x: 8 calls before the time that it had asked for$/);
    } finally {
      await places.receiver.stop();
    }
  });
});
