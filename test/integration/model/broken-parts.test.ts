import fc from 'fast-check';
import assert from 'node:assert/strict';
import { BROKEN_PARTS } from './broken-parts.js';
import { commandRuns } from './model-commands.js';
import { runModel } from './model-run.js';
import { makeTemplate, type Template } from './model-server.js';

/** The same runs each time: whether a fault is found is to be no matter of luck. */
const SEED = 20_261_129;
const MOST_RUNS = 1_000;

describe('the model finds a broken part:', function () {
  this.timeout(600_000);
  let template: Template;

  before(async () => {
    template = await makeTemplate();
  });
  after(() => {
    template.remove();
  });

  for (const { name, parts, finding } of BROKEN_PARTS)
    it(name, async () => {
      const found = await fc.check(
        fc.asyncProperty(commandRuns(8), (commands) => runModel(template, commands, parts)),
        { seed: SEED, numRuns: MOST_RUNS, endOnFailure: true },
      );
      assert.ok(found.failed, `not found in ${found.numRuns} runs`);
      assert.match(String(found.errorInstance), finding);
    });
});
