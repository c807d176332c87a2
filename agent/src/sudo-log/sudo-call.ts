import { bytesOf, contentOf, eachWireField, numberOf, wireFields, type WireField } from './wire-fields.js';

/** One call of sudo, as it says itself. All texts are hostile, but none is longer than a recording takes. */
export interface SudoCall {
  /** The program, with its path. */
  readonly command: string;
  /** Its arguments, its own name first; those of a very long command line are left out at the end. */
  readonly arguments: readonly string[];
  readonly argumentsCut: boolean;
  readonly workingDirectory: string;
  /** Such as /dev/pts/3; '' without one. */
  readonly terminal: string;
  readonly runAsUser: string;
  readonly columns: number;
  readonly lines: number;
}

/** The bounds of curfew.types.v1.Recording, and one for all arguments together. */
const [LONGEST_TEXT, SHORT_TEXT, MOST_ARGUMENTS, ARGUMENTS_ROOM] = [4096, 256, 1000, 65_536];
/** Other things that sudo says of a call, its environment among them, are of no interest. */
const MOST_FACTS = 200;

/** Reads the facts of a call: InfoMessages, each a key with a number, a text or a list. Errors: LogProtocolError. */
export function sudoCallOf(facts: readonly WireField[]): SudoCall {
  const texts = new Map<string, string>();
  const numbers = new Map<string, number>();
  let listed: { readonly list: string[]; readonly cut: boolean } = { list: [], cut: false };
  for (const fact of facts.slice(0, MOST_FACTS)) {
    const fields = wireFields(contentOf(fact));
    const key = text(bytesOf(fields, 1), SHORT_TEXT);
    if (key === 'runargv') listed = argumentsOf(bytesOf(fields, 4));
    else if (key === 'lines' || key === 'columns') numbers.set(key, terminalSize(numberOf(fields, 2)));
    else if (TEXTS.includes(key)) texts.set(key, text(bytesOf(fields, 3), LONGEST_TEXT));
  }
  const terminal = (texts.get('ttyname') ?? '').slice(0, SHORT_TEXT);
  return {
    command: texts.get('command') ?? '',
    arguments: listed.list,
    argumentsCut: listed.cut,
    workingDirectory: texts.get('submitcwd') ?? '',
    terminal,
    runAsUser: (texts.get('runuser') ?? '').slice(0, SHORT_TEXT),
    // Without a terminal sudo says 80 by 24.
    columns: terminal === '' ? 0 : (numbers.get('columns') ?? 0),
    lines: terminal === '' ? 0 : (numbers.get('lines') ?? 0),
  };
}

const TEXTS = ['command', 'submitcwd', 'ttyname', 'runuser'];

/** A StringList, as far as there is room for it. */
function argumentsOf(strings: Buffer): { readonly list: string[]; readonly cut: boolean } {
  const list: string[] = [];
  let [cut, room] = [false, ARGUMENTS_ROOM];
  for (const field of eachWireField(strings)) {
    if (field.number !== 1) continue;
    const bytes = contentOf(field);
    if (list.length === MOST_ARGUMENTS || room === 0) return { list, cut: true };
    const argument = text(bytes.subarray(0, room), LONGEST_TEXT);
    cut ||= bytes.length > room || argument.length === LONGEST_TEXT;
    room -= Math.min(room, bytes.length);
    list.push(argument);
  }
  return { list, cut };
}

/** A text of so many characters at the most; what is no UTF-8, and NUL, which no ledger stores, is shown as U+FFFD. */
export function text(bytes: Buffer, longest: number): string {
  const shown = bytes
    .subarray(0, longest * 4)
    .toString('utf8')
    .replaceAll('\0', '\u{fffd}')
    .slice(0, longest);
  // A character that was cut in two is shown as U+FFFD too.
  return Buffer.from(shown).toString('utf8');
}

/** Characters of a terminal, of which the kernel counts no more (ioctl_tty(2), struct winsize). */
export const terminalSize = (value: bigint): number => (value > 65_535n ? 65_535 : Number(value));
