import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../duration.js';
import type { DurationMs } from '../instant.js';
import { safeText } from '../safe-text.js';

/** Reads a flag that is a duration. Errors say what would be right. */
export function durationFlag(text: string): DurationMs {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  if (/^[1-9][0-9]*$/.test(text))
    throw new InvalidArgumentError(`A unit is missing: write ${text}m for minutes, ${text}s for seconds.`);
  throw new InvalidArgumentError('Write it like 90s, 30m, 1h30m or PT30M; more than zero, no fractions, no spaces.');
}

/** Reads a flag that is a whole number from `from` to `to`. */
export const countFlag =
  (from: number, to: number) =>
  (text: string): number => {
    const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= from && value <= to) return value;
    throw new InvalidArgumentError(`Write a whole number from ${from} to ${to}.`);
  };

/** Reads a reason: not blank, at most 500 characters. */
export function reasonFlag(text: string): string {
  const reason = text.trim();
  if (reason === '') throw new InvalidArgumentError('Say why; it is shown to others and kept in the audit log.');
  if (reason.length > 500) throw new InvalidArgumentError(`It has ${reason.length} characters; at most 500 are kept.`);
  return reason;
}

/** Reads one whole command line into its argv: words, and quotes for words with spaces. Nothing is expanded. */
export function commandFlag(text: string, before: readonly (readonly string[])[] = []): string[][] {
  const words = text.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g);
  const argv = [...words].map(([word]) => word.replace(/"([^"]*)"|'([^']*)'/g, '$1$2'));
  if (/["']/.test(text.replace(/"[^"]*"|'[^']*'/g, ''))) throw new InvalidArgumentError('A quote is not closed.');
  if (argv[0]?.startsWith('/') !== true)
    throw new InvalidArgumentError(
      `Write the program's absolute path first, such as '/usr/bin/${safeText(argv[0] ?? 'apt')}'.`,
    );
  return [...before.map((words_) => [...words_]), argv];
}
