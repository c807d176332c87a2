import { durationMs, ManualClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { withinLimit } from './within-limit.js';

describe('work within a limit', () => {
  const limitMs = durationMs(20_000);
  /** Ends with an error of its own when it is stopped. */
  const endless = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')));
    });

  it('gives what the work gives, and leaves no timer', async () => {
    const clock = new ManualClock();
    const { signal } = new AbortController();
    assert.equal(await withinLimit({ clock, limitMs, signal, work: async () => 7 }), 7);
    const failing = withinLimit({ clock, limitMs, signal, work: () => Promise.reject(new Error('own')) });
    await assert.rejects(failing, /^Error: own$/);
    assert.equal(clock.armed, 0);
  });

  it('stops at the limit and says so', async () => {
    const clock = new ManualClock();
    const work = withinLimit({ clock, limitMs, signal: new AbortController().signal, work: endless });
    clock.advance(durationMs(19_999));
    clock.advance(durationMs(1));
    await assert.rejects(work, { name: 'ConnectorError', kind: 'unreachable', message: 'no answer within 20 s' });
  });

  it('stops when it is told to, and does not begin when it was told before', async () => {
    const clock = new ManualClock();
    const abort = new AbortController();
    const work = withinLimit({ clock, limitMs, signal: abort.signal, work: endless });
    abort.abort();
    const stopped = { name: 'ConnectorError', kind: 'unreachable', message: /^it was stopped/ };
    await assert.rejects(work, stopped);
    const { signal } = abort;
    await assert.rejects(withinLimit({ clock, limitMs, signal, work: async () => assert.fail('begun') }), stopped);
    assert.equal(clock.armed, 0);
  });
});
