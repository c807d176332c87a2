import { durationMs, formatDuration, type Clock } from '@curfew/shared';
import { ConnectorError } from '../connectors/connector.js';

/**
 * Calls a connector and gives up after a time, whatever the connector does. What it throws is a ConnectorError: what a
 * connector throws beside that counts as no answer, since the write may have taken effect.
 */
export function limitedCall<T>(
  clock: Clock,
  limitMs: number,
  stop: AbortSignal,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (stop.aborted) return Promise.reject(new ConnectorError('unreachable', 'the server stops'));
  const controller = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const giveUp = (message: string): void => {
      settle();
      controller.abort();
      reject(new ConnectorError('unreachable', message));
    };
    const stopped = (): void => {
      giveUp('the server stops');
    };
    const cancel = clock.after(durationMs(limitMs), () => {
      giveUp(`no answer within ${formatDuration(limitMs)}`);
    });
    const settle = (): void => {
      cancel();
      stop.removeEventListener('abort', stopped);
    };
    stop.addEventListener('abort', stopped);
    // A connector may throw before it has made a promise.
    Promise.resolve()
      .then(() => call(controller.signal))
      .then(
        (value) => {
          settle();
          resolve(value);
        },
        (error: unknown) => {
          settle();
          reject(asConnectorError(error));
        },
      );
  });
}

/** How much of what a resource says is kept. */
const MOST_TEXT = 500;

function asConnectorError(error: unknown): ConnectorError {
  if (error instanceof ConnectorError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new ConnectorError('unreachable', text, undefined, { cause: error });
}

/** What a failed call says, short enough for the ledger. */
export const problemText = (error: unknown): string =>
  (error instanceof Error && error.message !== '' ? error.message : 'it failed without a word').slice(0, MOST_TEXT);
