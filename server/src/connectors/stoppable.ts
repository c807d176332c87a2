import { ConnectorError } from './connector.js';

/** What a call ends with when its signal says so. Whether a write took effect by then, nobody knows. */
const callStopped = (): ConnectorError =>
  new ConnectorError('unreachable', 'the resource did not answer in time, or the call was stopped');

/** Errors: ConnectorError when the call is to stop. */
export function throwIfStopped(signal: AbortSignal): void {
  if (signal.aborted) throw callStopped();
}

/** Waits for `work` until the signal aborts; then calls `stop` and throws that the call was stopped. */
export function stoppable<T>(signal: AbortSignal, work: Promise<T>, stop: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      stop();
      reject(callStopped());
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
