import { ConnectorError } from '@curfew/server/parts';
import { HOUR, instantMs, SystemClock, type InstantMs } from '@curfew/shared';
import assert from 'node:assert/strict';

/** For a call that is to be done, on however slow a machine. */
export const patient = (): AbortSignal => AbortSignal.timeout(20_000);

export const inAnHour = (): InstantMs => instantMs(new SystemClock().now() + HOUR);

export const isUnreachable = (error: unknown): boolean =>
  error instanceof ConnectorError && error.kind === 'unreachable';

/** For assert.rejects: the resource refused, and said this. */
export const refusal =
  (text: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof ConnectorError, String(error));
    assert.deepEqual([error.kind, text.test(error.message)], ['refused', true], error.message);
    return true;
  };
