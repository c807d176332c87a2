import assert from 'node:assert/strict';
import { measure } from '../bench/measure.js';
import type { Outcome } from '../bench/outcome.js';
import { renderOutcome } from '../bench/report.js';
import { quantile } from '../bench/statistics.js';
import { describeOn } from '../support/machine-needs.js';

/** Enough to walk every step once; the figures say nothing. */
const TINY = {
  links: [1, 3],
  bulk: 3,
  sessions: 20,
  people: 0,
  expiring: 0,
  crowds: [2],
  restMinutes: 0.02,
  soakMinutes: 0.2,
  past: [3],
  runs: 1,
  rounds: 2,
  warmUp: 1,
};

const EXPECTED = [
  { id: 'B1', figures: 6, ratios: 6, samples: 2 },
  { id: 'B2', figures: 2, ratios: 1, samples: 1 },
  { id: 'B2b', figures: 3, ratios: 0, samples: 1 },
  // As many revokes as there is time for while the devices come back.
  { id: 'B4', figures: 4, ratios: 1, samples: undefined },
  { id: 'B5', figures: 4, ratios: 2, samples: 1 },
  { id: 'B6', figures: 15, ratios: 4, samples: 1 },
  { id: 'B8', figures: 4, ratios: 4, samples: 2 },
  { id: 'B9', figures: 2, ratios: 1, samples: 1 },
  { id: 'B7', figures: 7, ratios: 6, samples: 2 },
  { id: 'B12', figures: 24, ratios: 12, samples: undefined },
  { id: 'B13', figures: 8, ratios: 4, samples: 24 },
] as const;

/** What a revoke on a device is held against, and by which of the peers' words each is left out. */
const PEERS = {
  'ssh root@host rm': 'ssh',
  'ssh root@host rm, ControlMaster': 'ssh',
  'ansible -m file state=absent': 'ansible',
  "sudo-ldap, rule's entry deleted": 'sudo-ldap',
} as const;
const GOALS: Readonly<Record<string, unknown>> = {
  'ssh root@host rm': { atLeast: 10 },
  'ansible -m file state=absent': { atLeast: 100 },
  "sudo-ldap, rule's entry deleted": { atLeast: 1 },
};

describeOn(['devices'], 'the benchmarks', function () {
  this.timeout(600_000);

  for (const { id, figures, ratios, samples } of EXPECTED)
    it(`${id} measures what it says, and tells both sides of every ratio`, async () => {
      const outcome: Outcome = await measure(id, TINY);
      assert.deepEqual([outcome.figures.length, outcome.ratios.length], [figures, ratios]);
      for (const figure of outcome.figures) assert.equal(figure.samples, samples ?? figure.samples, figure.name);
      const spreads = [...outcome.ratios, ...outcome.figures].flatMap((found) =>
        ('values' in found ? Object.values(found.values) : [found.value]).map((value) => ({
          name: found.name,
          ...value,
        })),
      );
      for (const { name, min, median, max } of spreads) {
        // The kernel counts processor time in steps: in so short a time an agent at rest, or a server, may have used none.
        const least = id === 'B6' || name.includes('processor time') ? 0 : Number.MIN_VALUE;
        assert.ok(least <= min && min <= median && median <= max, `${name}: ${min}, ${median}, ${max}`);
      }
      const text = renderOutcome(outcome, { colour: false });
      for (const { name } of [...outcome.ratios, ...outcome.figures]) assert.ok(text.includes(name), name);
    });

  it('B1b does the same, with each peer that this machine has, and says why it has not the others', async () => {
    const { figures, ratios, leftOut = [] } = await measure('B1b', TINY);
    const missing = leftOut.map((line) => /^(ssh|ansible|sudo-ldap): .+$/.exec(line)?.[1] ?? line);
    const there = Object.keys(PEERS).filter((name) => !missing.includes(PEERS[name as keyof typeof PEERS]));
    assert.equal(new Set(missing).size, leftOut.length);
    assert.deepEqual(
      ratios.map(({ name, goal }) => [name, goal]),
      [
        ...there.map((name) => [`${name} / revoke, until refused, p50`, GOALS[name]]),
        ['revoke until refused / rm until refused, p50', undefined],
        ['grant until it works / write until it works, p50', undefined],
      ],
    );
    assert.deepEqual(
      figures.slice(6).map(({ name }) => name),
      there.map((name) => `${name}, to sudo refused`),
    );
    for (const { value } of ratios) assert.ok(value.min > 0);
    for (const { samples, values } of figures) assert.ok(samples === 1 && (values.p50?.min ?? 0) > 0);
    const text = renderOutcome({ figures, ratios, leftOut: ['ssh: not installed: ssh'] }, { colour: false });
    assert.ok(text.endsWith('\nleft out: ssh: not installed: ssh\n'));
  });

  it('take the nearest rank as a quantile', () => {
    const samples = Array.from({ length: 100 }, (_, at) => 100 - at);
    assert.deepEqual(
      [0, 0.5, 0.99, 1].map((q) => quantile(samples, q)),
      [1, 50, 99, 100],
    );
  });
});
