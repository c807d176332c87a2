import assert from 'node:assert/strict';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DEVICE_PROGRAM } from '../support/device-init.js';
import { CHECKOUT } from '../support/device.js';
import { shareOf } from '../support/fault-share.js';
import type { Rule } from '../support/fire/checker.js';
import { underFire } from '../support/fire/fire.js';
import { describeOn } from '../support/machine-needs.js';

/** A bug that is put in the place of the code that it is of. */
interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly search: string;
  readonly replace: string;
}

const BUGS: readonly { readonly mutant: Mutant; readonly at: 'server' | 'agent'; readonly rule: Rule }[] = [
  {
    at: 'server',
    rule: 'late',
    mutant: {
      name: 'a revoke is called effective before the device has said so',
      file: 'server/src/rpc/services/session-handlers.ts',
      search: "const effective = session.state === 'ended';",
      replace: 'const effective = true;',
    },
  },
  {
    at: 'agent',
    rule: 'late',
    mutant: {
      name: 'an end is told seconds before the right is gone',
      file: 'agent/src/grants/holder.ts',
      search: '    await this.removeForever(() => host.remove(record));\n    // A grant that',
      replace: '    setTimeout(() => void this.removeForever(() => host.remove(record)), 3_000);\n    // A grant that',
    },
  },
  {
    at: 'server',
    rule: 'audit',
    mutant: {
      name: 'every other confirmation is not in the audit log',
      file: 'server/src/sessions/observe.ts',
      search: '    tx.audit({ type: `session.${to}`',
      replace: '    if (Math.random() < 0.5) tx.audit({ type: `session.${to}`',
    },
  },
];

/** What makes a program of Node run with a mutant, of this checkout as that program sees it. */
function withMutant(mutant: Mutant, checkout: string): Record<string, string> {
  const hooks = pathToFileURL(join(checkout, 'packaging/scripts/mutant-hooks.mjs')).href;
  const code = `import { register } from 'node:module'; register('${hooks}', { data: ${JSON.stringify(mutant)} });`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}

/** A run meets what shows a bug by chance. A checker that is blind to it finds it in none of so many. */
const RUNS = 4;

describeOn(['devices', { postgres: 15 }], 'the run under fire', function () {
  this.timeout(RUNS * 600_000);

  for (const { mutant, at, rule } of shareOf(BUGS))
    it(`finds that ${mutant.name}`, async () => {
      const size = { minutes: 0.4, devices: 3, agents: 20, devicesShare: 0.75 };
      const bug =
        at === 'server'
          ? { serverEnv: withMutant(mutant, CHECKOUT) }
          : { agentEnv: withMutant(mutant, DEVICE_PROGRAM) };
      const broken = new Set<Rule>();
      for (let run = 0; run < RUNS && !broken.has(rule); run++) {
        const seed = `${mutant.name} ${run}`;
        const { violations } = await underFire({ ...size, ...bug, seed }, () => undefined);
        for (const violation of violations) broken.add(violation.rule);
      }
      assert.ok(broken.has(rule), `broken in ${RUNS} runs: ${[...broken].join(', ')}`);
    });
});
