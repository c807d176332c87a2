import type { Duration } from '@curfew/proto';
import { safeText } from '@curfew/shared/cli';

const ID_SHOWN = 12;

/** Shortens an id to what a person can type. */
export const shortId = (id: string): string => safeText(id.slice(0, ID_SHOWN));

/** In milliseconds; 0 for none. */
export const msOf = (duration: Duration | undefined): number =>
  duration === undefined ? 0 : Number(duration.seconds) * 1000 + duration.nanos / 1_000_000;

/** A line that says what to type for what. */
export const next = (what: string, command: string): string => `  ${`${what}:`.padEnd(14)} ${command}`;
