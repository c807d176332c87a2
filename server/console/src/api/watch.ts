import { Backoff, durationMs, type CancelTimer, type Clock, type Random } from '@curfew/shared/browser';
import type { WatchMethods } from '../gen/api.js';
import type { ApiClient } from './api-client.js';
import { ApiError } from './api-error.js';

/** The server sends a sign of life every 10 s; after so long without one the link counts as broken. */
const SILENCE_MS = 25_000;

/** Waits between attempts: from half a second to eight seconds, with full jitter. */
const LEAST_WAIT_MS = 500;
const MOST_WAIT_MS = 8_000;

/** How a watch stands: trying for the first time, connected, broken and trying again, refused for good, or told whole. */
export type WatchState = 'connecting' | 'live' | 'broken' | 'refused' | 'over';

/** What a watch tells. */
export interface WatchEvents<T> {
  /** A new stream begins: what follows is a whole new picture. */
  readonly onStart: () => void;
  readonly onMessage: (message: T) => void;
  readonly onState: (state: WatchState, error: ApiError | undefined) => void;
  /** Whether a stream that the server has ended has told everything. Absent: never, it is begun again. */
  readonly isOver?: () => boolean;
  /** Whether a stream that breaks off with such an error would break off with it again. Absent: no. */
  readonly isFinal?: (error: ApiError) => boolean;
}

/** What every watch needs. */
export interface WatchParts {
  readonly api: Pick<ApiClient, 'stream'>;
  readonly clock: Clock;
  readonly random: Pick<Random, 'fraction'>;
}

/** Errors that trying again does not mend. */
const isFinal = ({ status }: ApiError): boolean => status >= 400 && status < 500 && status !== 429;

/** A method that goes on answering, reconnected for as long as it is wanted. Stop it with the returned function. */
export function watch<M extends keyof WatchMethods>(
  parts: WatchParts,
  method: M,
  request: WatchMethods[M]['request'],
  events: WatchEvents<WatchMethods[M]['response']>,
): () => void {
  const backoff = new Backoff(parts.random as Random, LEAST_WAIT_MS, MOST_WAIT_MS);
  let stopped = false;
  let attempt = new AbortController();
  let cancelWait: CancelTimer | undefined;

  const run = async (): Promise<void> => {
    attempt = new AbortController();
    const mine = attempt;
    let cancelSilence: CancelTimer | undefined;
    let begun = false;
    const listen = (): void => {
      cancelSilence?.();
      cancelSilence = parts.clock.after(durationMs(SILENCE_MS), () => {
        mine.abort();
      });
    };
    const alive = (): void => {
      listen();
      if (begun) return;
      begun = true;
      backoff.reset();
      events.onStart();
      events.onState('live', undefined);
    };
    let failure: ApiError | undefined;
    let isEnded = false;
    // From the call on: what swallows packets may swallow the first answer as well.
    listen();
    try {
      await parts.api.stream(method, request, mine.signal, events.onMessage, alive);
      isEnded = true;
    } catch (error) {
      if (error instanceof ApiError) failure = error;
    } finally {
      cancelSilence?.();
    }
    if (stopped) return;
    if (failure !== undefined && (isFinal(failure) || events.isFinal?.(failure) === true)) {
      events.onState('refused', failure);
      return;
    }
    if (isEnded && events.isOver?.() === true) {
      events.onState('over', undefined);
      return;
    }
    events.onState('broken', failure);
    cancelWait = parts.clock.after(backoff.next(), () => void run());
  };

  events.onState('connecting', undefined);
  void run();
  return () => {
    stopped = true;
    cancelWait?.();
    attempt.abort();
  };
}
