import { ManualClock, silentLogger, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { NO_MEASURES } from '../metrics/measures.js';
import { openTracing } from './open-tracing.js';

describe('opening the traces', () => {
  const parts = { clock: new ManualClock(), random: systemRandom, logger: silentLogger, measures: NO_MEASURES };
  const config = { url: 'http://127.0.0.1:9/v1/traces', headers: {}, ca: undefined, share: 1 };

  it('loads nothing where nobody collects them', async () => {
    assert.equal(await openTracing(undefined, parts, () => assert.fail('loaded')), undefined);
  });

  for (const { code, text } of [
    { code: 'ERR_MODULE_NOT_FOUND', text: "Cannot find package '@opentelemetry/sdk-trace' imported from /x/y.js" },
    { code: 'MODULE_NOT_FOUND', text: "Cannot find module '@opentelemetry/sdk-trace'" },
  ])
    it(`names the optional package that is not installed: ${code}`, async () => {
      const missing = Object.assign(new Error(text), { code });
      await assert.rejects(
        openTracing(config, parts, () => Promise.reject(missing)),
        {
          code: 'CONFIG_INVALID',
          message: /traces\.url: the server lacks the optional package @opentelemetry\/sdk-trace: install it/,
        },
      );
    });

  it('does not hide what else is wrong with it', async () => {
    const ours = Object.assign(new Error("Cannot find module '/x/tracing/spans.js'"), { code: 'ERR_MODULE_NOT_FOUND' });
    for (const broken of [new SyntaxError('broken'), ours])
      await assert.rejects(
        openTracing(config, parts, () => Promise.reject(broken)),
        broken,
      );
  });
});
