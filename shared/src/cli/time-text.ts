import { formatDuration } from '../duration.js';
import type { InstantMs } from '../instant.js';

const two = (value: number): string => String(value).padStart(2, '0');

/** A time of the person's own zone: '14:03:59', with the date when it is not today. Empty for none. */
export function timeText(time: Date | undefined, now: InstantMs): string {
  if (time === undefined) return '';
  const today = new Date(now);
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  const same =
    time.getFullYear() === today.getFullYear() &&
    time.getMonth() === today.getMonth() &&
    time.getDate() === today.getDate();
  return same ? clock : `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clock}`;
}

/** How long until a time, '24m10s'; '0s' when it is over. Empty for none. */
export const leftText = (time: Date | undefined, now: InstantMs): string =>
  time === undefined ? '' : formatDuration(Math.ceil((time.getTime() - now) / 1000) * 1000);

/** How long since a time, '2m5s'. Empty for none. */
export const sinceText = (time: Date | undefined, now: InstantMs): string =>
  time === undefined ? '' : formatDuration(now - time.getTime());

/** A time and how far off it is: '14:03:59 (in 24m10s)' or '14:03:59 (2m ago)'. Empty for none. */
export function timeAndDistance(time: Date | undefined, now: InstantMs): string {
  if (time === undefined) return '';
  const distance = time.getTime() > now ? `in ${leftText(time, now)}` : `${sinceText(time, now)} ago`;
  return `${timeText(time, now)} (${distance})`;
}
