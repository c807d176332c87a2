import parse from 'parse-duration';
import { durationMs, type DurationMs } from './instant.js';

/**
 * Reads a duration that a person typed: '90s', '30m', '1h30m', 'PT30M'. Returns undefined for everything else: bare
 * numbers, signs, spaces, fractions, exponents, units other than d, h, m and s, and zero.
 */
export function parseDuration(text: string): DurationMs | undefined {
  const iso = /^P(?=.)(?:(\d{1,5})D)?(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?$/.exec(text);
  const plain = /^(?:\d{1,5}d)?(?:\d{1,6}h)?(?:\d{1,7}m)?(?:\d{1,9}s)?$/.test(text);
  if (text === '' || (!iso && !plain)) return undefined;
  const [, d, h, m, s] = iso ?? [];
  const ms = iso
    ? ((Number(d ?? 0) * 24 + Number(h ?? 0)) * 60 + Number(m ?? 0)) * 60_000 + Number(s ?? 0) * 1000
    : parse(text);
  if (ms === null || !Number.isSafeInteger(ms) || ms <= 0) return undefined;
  return durationMs(ms);
}

/** Writes a duration for people: '1h30m', '45s', '0s'. Rounds down to seconds; never negative. */
export function formatDuration(ms: number): string {
  let rest = Math.max(0, Math.floor(ms / 1000));
  if (rest === 0) return '0s';
  const parts: string[] = [];
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(rest / size);
    rest %= size;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 3).join('');
}
