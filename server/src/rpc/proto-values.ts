import type { Duration } from '@curfew/proto';

/** Converters between the wire's values and ours. Generated types stop in this folder and in link/. */
export const dateFromMs = (ms: number | null): Date | undefined => (ms === null ? undefined : new Date(ms));
export const durationFromMs = (ms: number): Duration => ({
  seconds: BigInt(Math.floor(ms / 1000)),
  nanos: Math.floor(ms % 1000) * 1_000_000,
});
export const msFromDuration = (duration: Duration): number =>
  Number(duration.seconds) * 1000 + Math.floor(duration.nanos / 1_000_000);
