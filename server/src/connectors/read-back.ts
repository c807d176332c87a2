import { durationMs, type Clock } from '@curfew/shared';
import { ConnectorError } from './connector.js';

/** Waits before each further look, in ms: about ten seconds in all. */
const WAITS_MS = [50, 100, 250, 500, 1_000, 2_000, 3_000, 3_000] as const;

/**
 * Looks until what was written can be read, since some services answer from copies that lag behind. Errors:
 * ConnectorError, naming `what`: 'pending' when that takes too long, 'unreachable' when the signal says stop.
 */
export async function readBack(
  look: () => Promise<boolean>,
  what: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  for (const waitMs of [...WAITS_MS, undefined]) {
    if (await look()) return;
    if (waitMs === undefined || signal.aborted) break;
    await pause(clock, waitMs, signal);
  }
  throw new ConnectorError(signal.aborted ? 'unreachable' : 'pending', `${what} cannot be read back yet`);
}

/** Waits, no longer than the signal allows. */
export const pause = (clock: Clock, waitMs: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(durationMs(waitMs), done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
