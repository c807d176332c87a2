import { instantMs, type DurationMs, type InstantMs, durationMs } from '@curfew/shared/browser';
import type { DurationJson, TimestampJson } from '../gen/api.js';

/** A time of the API, or undefined where it is not set. */
export function timeFromProto(time: TimestampJson | undefined): InstantMs | undefined {
  if (time === undefined || time === '') return undefined;
  const ms = Date.parse(time);
  return Number.isFinite(ms) ? instantMs(ms) : undefined;
}

/** A duration of the API ('1800s'), or undefined where it is not set. */
export function durationFromProto(duration: DurationJson | undefined): DurationMs | undefined {
  if (duration === undefined) return undefined;
  const seconds = Number(duration.replace(/s$/, ''));
  return Number.isFinite(seconds) ? durationMs(seconds * 1000) : undefined;
}

/** A duration as the API takes it. */
export const durationToProto = (ms: number): DurationJson => `${ms / 1000}s`;

/** The word of the project for a value of the API: 'SESSION_STATE_ACTIVE' with the prefix 'SESSION_STATE_' is 'active'. */
export function wordFromProto<W extends string>(
  words: readonly W[],
  prefix: string,
  value: string | undefined,
): W | undefined {
  const word = value?.startsWith(prefix) === true ? value.slice(prefix.length).toLowerCase() : undefined;
  return words.find((known) => known === word);
}
