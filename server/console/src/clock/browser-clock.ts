import { bootMs, instantMs, type Clock, type Random } from '@curfew/shared/browser';

/** Browsers' timers hold at most 2^31-1 ms and fire at once beyond that. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** The browser's clocks. `bootTime` counts from the page's load and may leave sleep out. */
export const browserClock: Clock = {
  now: () => instantMs(Date.now()),
  bootTime: () => bootMs(performance.now()),
  after(delay, fn) {
    const timer = setTimeout(fn, Math.min(Math.max(0, delay), LONGEST_TIMER_MS));
    return () => {
      clearTimeout(timer);
    };
  },
};

/** The browser's chance. */
export const browserRandom: Pick<Random, 'fraction'> = {
  fraction: () => Math.random(),
};

/** Calls `fn` once before the next paint; when the page is hidden, where nothing is painted, soon. */
export function nextFrame(fn: () => void): void {
  if (document.visibilityState === 'hidden') setTimeout(fn, 50);
  else requestAnimationFrame(fn);
}
