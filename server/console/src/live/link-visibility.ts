import { durationMs, type CancelTimer, type Clock } from '@curfew/shared/browser';

/** How long a page may be hidden before it lets go of its streams. */
const GRACE_MS = 10_000;

/** The part of a document that tells whether anybody can see it. */
export interface Visibility {
  readonly visibilityState: string;
  addEventListener(type: 'visibilitychange', listener: () => void): void;
  removeEventListener(type: 'visibilitychange', listener: () => void): void;
}

/**
 * Runs `start` while the page can be seen. A browser opens at most six connections to a server without TLS, and each
 * stream holds one: pages in the background would starve the one in front. Returns what stops it all.
 */
export function whileVisible(page: Visibility, clock: Clock, start: () => () => void): () => void {
  let stop: (() => void) | undefined;
  let cancel: CancelTimer | undefined;
  const follow = (): void => {
    cancel?.();
    cancel = undefined;
    if (page.visibilityState !== 'hidden') {
      stop ??= start();
      return;
    }
    cancel = clock.after(durationMs(GRACE_MS), () => {
      stop?.();
      stop = undefined;
    });
  };
  page.addEventListener('visibilitychange', follow);
  stop = page.visibilityState === 'hidden' ? undefined : start();
  return () => {
    page.removeEventListener('visibilitychange', follow);
    cancel?.();
    stop?.();
  };
}
