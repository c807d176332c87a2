import type { InstantMs } from '@curfew/shared';
import type { IncomingHttpHeaders } from 'node:http';

/** Nobody is left alone for longer than this, whatever they ask for. */
const LONGEST_MS = 86_400_000;

const atMost = (ms: number): number => Math.min(LONGEST_MS, Math.max(0, ms));

/** How long an answer asks to be left alone, in ms: `Retry-After` as seconds or as a date (RFC 9110, section 10.2.3). */
export function retryAfterMs(headers: IncomingHttpHeaders, now: InstantMs): number | undefined {
  const text = headers['retry-after']?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return atMost(Number(text) * 1000);
  // Dates have names of days and months; what Date.parse makes of other text is nobody's wish.
  const atMs = /^[A-Za-z]{3,9},? /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : atMost(atMs - now);
}

/** GitHub's way of saying the same (REST, 'rate limits'): nothing remains until a second of the Unix epoch. */
export function rateLimitResetMs(headers: IncomingHttpHeaders, now: InstantMs): number | undefined {
  const [remaining, reset] = [headers['x-ratelimit-remaining'], headers['x-ratelimit-reset']];
  if (remaining !== '0' || typeof reset !== 'string' || !/^\d{1,12}$/.test(reset)) return undefined;
  return atMost(Number(reset) * 1000 - now);
}
