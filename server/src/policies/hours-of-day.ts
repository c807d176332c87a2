import type { HoursOfDay } from './policy-spec.js';

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether an IANA time zone is known; '' stands for UTC. */
export function isTimeZone(name: string): boolean {
  try {
    formatIn(name);
    return true;
  } catch {
    return false;
  }
}

/** Whether the moment is in one of the parts of the week; always when there are none. */
export const isWithinHours = (hours: readonly HoursOfDay[], atMs: number): boolean =>
  hours.length === 0 || hours.some((part) => isWithin(part, atMs));

/** The wall clock is read off for the moment itself, so an hour that comes twice is in twice, and a left-out one never. */
function isWithin({ days, from, to, timeZone }: HoursOfDay, atMs: number): boolean {
  const { day, minute } = wallClock(timeZone, atMs);
  const [start, end] = [minutes(from), minutes(to)];
  const isDay = (number: number): boolean => days.length === 0 || days.includes(number);
  if (start < end) return isDay(day) && minute >= start && minute < end;
  return (isDay(day) && minute >= start) || (isDay(day === 1 ? 7 : day - 1) && minute < end);
}

const minutes = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));

function wallClock(timeZone: string, atMs: number): { readonly day: number; readonly minute: number } {
  const parts = new Map(
    formatIn(timeZone)
      .formatToParts(atMs)
      .map(({ type, value }) => [type, value]),
  );
  return {
    day: DAYS.indexOf(parts.get('weekday') ?? '') + 1,
    minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
  };
}

function formatIn(timeZone: string): Intl.DateTimeFormat {
  const name = timeZone === '' ? 'UTC' : timeZone;
  const known = formats.get(name);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-GB', {
    timeZone: name,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  formats.set(name, made);
  return made;
}
