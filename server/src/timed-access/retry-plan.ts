import { durationMs, HOUR, MINUTE, SECOND, type DurationMs, type Random } from '@curfew/shared';

/** So many calls in a row without an answer, and the connector is asked now and then only. */
export const FAILURES_TO_OPEN = 3;

const LEAST_MS = 1 * SECOND;
/** One call finds out whether a system is back, and much may wait for it. */
const MOST_OUT_OF_REACH_MS = 5 * MINUTE;
/** The longest that a resource is left alone, also when it asks for more: what waits may be a revocation. */
const MOST_MS = 1 * HOUR;

/** A wait that doubles with each failure (from 1) up to a limit; its second half is left to chance. */
function wait(random: Random, failures: number, mostMs: number): DurationMs {
  const fullMs = Math.min(mostMs, LEAST_MS * 2 ** Math.min(failures, 30));
  return durationMs(Math.round(fullMs / 2 + random.fraction() * (fullMs / 2)));
}

/** How long after its so-many-th failure (from 1) something is tried again. */
export const waitAfterFailure = (random: Random, failures: number, askedMs = 0): DurationMs =>
  durationMs(Math.max(wait(random, failures, MOST_MS), Math.min(askedMs, MOST_MS)));

/**
 * How long a connector is left alone that was out of reach so many times in a row (from 1), or has asked for it; undefined
 * when it may be asked on.
 */
export function waitOutOfReach(random: Random, failures: number, askedMs: number | undefined): DurationMs | undefined {
  if (askedMs !== undefined) return durationMs(Math.min(Math.max(askedMs, LEAST_MS), MOST_MS));
  if (failures < FAILURES_TO_OPEN) return undefined;
  return wait(random, failures - FAILURES_TO_OPEN + 2, MOST_OUT_OF_REACH_MS);
}
