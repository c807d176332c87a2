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

/** Reads a ticket: not blank, at most 100 characters. */
export function ticketFlag(text: string): string {
  const ticket = text.trim();
  if (ticket === '' || ticket.length > 100)
    throw new InvalidArgumentError('Write the id of a ticket, of at most 100 characters.');
  return ticket;
}

/** Reads a group's name and adds it to those before: 1 to 100 characters. */
export function groupNameFlag(text: string, before: readonly string[] = []): string[] {
  const name = text.trim();
  if (name === '' || name.length > 100)
    throw new InvalidArgumentError('Write the name of a group, of at most 100 characters.');
  return [...before, name];
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

/** Reads the name of a group of a device. */
export function groupFlag(text: string): string {
  if (/^[a-z_][a-z0-9_-]{0,31}$/.test(text)) return text;
  throw new InvalidArgumentError('Write a group as the device names it: lower-case letters, digits, _ and -.');
}

/** The port that servers listen on unless they are told otherwise. */
const DEFAULT_PORT = 7443;

/** HOST:PORT out of HOST, HOST:PORT, [IPV6] or [IPV6]:PORT; undefined for anything else. */
export function parseAddress(text: string): string | undefined {
  const [, host, port] = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  const number = Number(port ?? DEFAULT_PORT);
  return host === undefined || number < 1 || number > 65_535 ? undefined : `${host}:${number}`;
}

/** Reads a flag that is the address of a server. */
export function addressFlag(text: string): string {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  throw new InvalidArgumentError(`Write it like curfew.example.org:7443; the port is ${DEFAULT_PORT} when left out.`);
}
