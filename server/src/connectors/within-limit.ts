import { SECOND, type Clock, type DurationMs } from '@curfew/shared';
import { ConnectorError } from './connector.js';

/** One piece of work of a connector, and how long it may take. */
export interface LimitedWork<T> {
  readonly clock: Clock;
  readonly limitMs: DurationMs;
  /** Ends the work from outside. */
  readonly signal: AbortSignal;
  /** Is expected to end, in whatever way, soon after its signal fires. */
  readonly work: (signal: AbortSignal) => Promise<T>;
}

/** Does work that is stopped at its limit or from outside. Errors: those of the work; ConnectorError 'unreachable'. */
export async function withinLimit<T>({ clock, limitMs, signal, work }: LimitedWork<T>): Promise<T> {
  const stopped = (): ConnectorError => new ConnectorError('unreachable', 'it was stopped before an answer came');
  if (signal.aborted) throw stopped();
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  let late = false as boolean;
  const cancel = clock.after(limitMs, () => {
    late = true;
    stop();
  });
  signal.addEventListener('abort', stop);
  try {
    return await work(abort.signal);
  } catch (cause) {
    if (late) throw new ConnectorError('unreachable', `no answer within ${limitMs / SECOND} s`, undefined, { cause });
    if (abort.signal.aborted) throw stopped();
    throw cause;
  } finally {
    cancel();
    signal.removeEventListener('abort', stop);
  }
}
