// Mocha's 'spec' report, plus a count for `npm test` in the file that CURFEW_TEST_COUNT names.
import { writeFileSync } from 'node:fs';
import mocha from 'mocha';

const { Spec } = mocha.reporters;
const { EVENT_TEST_PASS, EVENT_TEST_FAIL, EVENT_TEST_PENDING, EVENT_RUN_END } = mocha.Runner.constants;

/** How long open handles may keep the process after its last test. */
const PATIENCE_MS = 5_000;
/** How much of a failure is said again at the end, in one line: enough for the seed and the path of a failed property. */
const LONGEST_PROBLEM = 1_500;

export default class CountingSpec extends Spec {
  constructor(runner, options) {
    super(runner, options);
    const count = { passed: 0, failed: 0, failures: [], skipped: [] };
    runner.on(EVENT_TEST_PASS, () => count.passed++);
    runner.on(EVENT_TEST_FAIL, (test, error) => {
      count.failed++;
      const problem = String(error?.message ?? error).replace(/\s*\n\s*/g, ' | ');
      count.failures.push(`${test.fullTitle()}: ${problem.slice(0, LONGEST_PROBLEM)}`);
    });
    runner.on(EVENT_TEST_PENDING, (test) => count.skipped.push(test.fullTitle()));
    runner.once(EVENT_RUN_END, () => {
      if (process.env.CURFEW_TEST_COUNT !== undefined) {
        writeFileSync(process.env.CURFEW_TEST_COUNT, JSON.stringify(count));
      }
      setTimeout(() => {
        process.stderr.write(`still open after the last test: ${process.getActiveResourcesInfo().join(', ')}\n`);
      }, PATIENCE_MS).unref();
    });
  }
}
