import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { underFire } from '../support/fire/fire.js';
import { fireSummary } from '../support/fire/summary.js';
import { describeOn } from '../support/machine-needs.js';

/** A number out of the environment, for runs that are longer or larger than the one in every run of the tests. */
const given = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);

describeOn(['devices', { postgres: 15 }], 'three servers, hosts and light agents under fire', function () {
  const settings = {
    minutes: given('CURFEW_FIRE_MINUTES', 0.75),
    devices: given('CURFEW_FIRE_DEVICES', 3),
    agents: given('CURFEW_FIRE_AGENTS', 60),
    seed: process.env['CURFEW_FIRE_SEED'] ?? randomBytes(4).toString('hex'),
  };
  this.timeout((settings.minutes + 10) * 60_000 + settings.devices * 30_000 + settings.agents * 100);

  it(`break no invariant (seed ${settings.seed})`, async () => {
    const say = (line: string): void => {
      if (process.env['CURFEW_FIRE_MINUTES'] !== undefined) process.stdout.write(`${line}\n`);
    };
    const outcome = await underFire(settings, say);
    const summary = fireSummary(settings, outcome);
    say(summary);
    const file = process.env['CURFEW_FIRE_SUMMARY'];
    if (file !== undefined) writeFileSync(file, summary);
    assert.deepEqual(outcome.violations, []);
    const { happenings } = outcome.history;
    const count = (kind: string): number => happenings.filter((one) => one.kind === kind).length;
    for (const kind of ['grant', 'revoke', 'read', 'attempt', 'holding', 'soundness'])
      assert.ok(count(kind) > settings.devices, `${count(kind)} of ${kind}`);
    const allowed = happenings.filter((one) => one.kind === 'attempt' && one.allowed).length;
    assert.ok(allowed > 0 && allowed < count('attempt'), `${allowed} of ${count('attempt')} attempts were allowed`);
  });
});
