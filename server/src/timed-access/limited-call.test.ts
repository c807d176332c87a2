import { durationMs, ManualClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { ConnectorError } from '../connectors/connector.js';
import { limitedCall } from './limited-call.js';

const never = () => new Promise<never>(() => undefined);
const unreachable = (message: RegExp) => (error: unknown) =>
  error instanceof ConnectorError && error.kind === 'unreachable' && message.test(error.message);

describe('a call of a connector', () => {
  it('ends after its time, whatever the connector does, which is told to stop', async () => {
    const clock = new ManualClock();
    let told = false;
    const call = limitedCall(clock, 5_000, new AbortController().signal, (signal) => {
      signal.addEventListener('abort', () => (told = true));
      return never();
    });
    await clock.waitForTimer();
    clock.advance(durationMs(5_000));
    await assert.rejects(call, unreachable(/^no answer within 5s$/));
    assert.equal(told, true);
  });

  it('ends when the server stops, and does not begin then', async () => {
    const stop = new AbortController();
    const call = limitedCall(new ManualClock(), 5_000, stop.signal, never);
    stop.abort();
    await assert.rejects(call, unreachable(/stops/));
    let begun = false;
    const late = limitedCall(new ManualClock(), 5_000, stop.signal, async () => {
      begun = true;
    });
    await assert.rejects(late, unreachable(/stops/));
    assert.equal(begun, false);
  });

  it('takes any other error for no answer, also one that is thrown at once', async () => {
    const signal = new AbortController().signal;
    const thrown = limitedCall(new ManualClock(), 5_000, signal, () => {
      throw new TypeError('broken');
    });
    await assert.rejects(thrown, unreachable(/broken/));
    const refused = new ConnectorError('refused', 'no');
    await assert.rejects(
      limitedCall(new ManualClock(), 5_000, signal, () => Promise.reject(refused)),
      (error) => error === refused,
    );
  });
});
