import { durationMs, HOUR, SECOND, type DurationMs, type Random } from '@curfew/shared';

/** A notice that was refused so often is given up. With the waits between, that is half a day or more. */
export const MOST_ATTEMPTS = 20;
const LEAST_MS = 5 * SECOND;
const MOST_MS = 2 * HOUR;
/** A place that is out of reach is looked for more often: what waits there may be urgent. */
const MOST_OUT_OF_REACH_MS = 60 * SECOND;
const LEAST_OUT_OF_REACH_MS = 1 * SECOND;

/** A wait that doubles with each attempt up to a limit, of which the second half is left to chance. */
function wait(random: Random, attempts: number, leastMs: number, mostMs: number): DurationMs {
  const fullMs = Math.min(mostMs, leastMs * 2 ** Math.min(attempts, 30));
  return durationMs(Math.round(fullMs / 2 + random.fraction() * (fullMs / 2)));
}

/** How long after its so-many-th attempt (from 1) a refused notice is tried again; undefined: no more. */
export const waitAfterRefusal = (random: Random, attempts: number): DurationMs | undefined =>
  attempts >= MOST_ATTEMPTS ? undefined : wait(random, attempts, LEAST_MS, MOST_MS);

/** How long a place that was out of reach so many times in a row (from 1) is left alone. */
export const waitOutOfReach = (random: Random, times: number, askedMs = 0): DurationMs =>
  durationMs(Math.max(wait(random, times, LEAST_OUT_OF_REACH_MS, MOST_OUT_OF_REACH_MS), Math.min(askedMs, HOUR)));
