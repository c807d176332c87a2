import fc from 'fast-check';
import { commandRuns } from './model-commands.js';
import { runModel } from './model-run.js';
import { makeTemplate, type Template } from './model-server.js';

/** How many random runs there are; CURFEW_MODEL_RUNS asks for more, CURFEW_MODEL_SEED for the same ones again. */
const RUNS = Number(process.env['CURFEW_MODEL_RUNS'] ?? 300);
const SEED = process.env['CURFEW_MODEL_SEED'];

describe('everything that can happen, in any order', function () {
  this.timeout(Math.max(600_000, RUNS * 1_000));
  let template: Template;

  before(async () => {
    template = await makeTemplate();
  });
  after(() => {
    template.remove();
  });

  // A failure names its seed and the path to the shortest run that was found to fail, and prints that run.
  it('keeps the invariants, and ledger and device agree once it is mended', async () => {
    await fc.assert(
      fc.asyncProperty(commandRuns(), (commands) => runModel(template, commands)),
      { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: Number(SEED) }) },
    );
  });
});
