import type { CastEvent } from './asciicast.js';

/** A line that was shown, without escapes, and when which part of it was. */
export interface ShownLine {
  readonly text: string;
  /** Where in the text each event's part begins, in order; the first is 0. */
  readonly starts: readonly number[];
  /** When that part was shown. As long as `starts`. */
  readonly times: readonly number[];
}

/** What never ends is cut into lines of this length. */
const LONGEST_LINE = 10_000;

type State = 'text' | 'escape' | 'escape-more' | 'csi' | 'string' | 'string-escape';

/** Final letters of control sequences that move what is written next to another line of the screen. */
const MOVES = new Set('ABEFHLMSTdfhlr');
/** Those that move it within a line. */
const SKIPS = new Set('CG`a');

/**
 * The text in what was written to a terminal: escape sequences (ECMA-48) are left out, each move to another line begins a
 * line here, and a backspace takes the last letter away. Sequences may be cut between events.
 */
export class ShownText {
  private readonly done: ShownLine[] = [];
  private state: State = 'text';
  private text = '';
  private starts: number[] = [];
  private times: number[] = [];

  /** Reads an event; only output is text. */
  push({ atMs, code, data }: CastEvent): void {
    if (code !== 'o') return;
    let from = 0;
    for (let at = 0; at < data.length; at++) {
      const letter = data[at] ?? '';
      const isPlain = this.state === 'text' && letter >= ' ' && (letter < '\u007f' || letter > '\u009f');
      if (isPlain) continue;
      if (this.state === 'text') this.add(atMs, data.slice(from, at));
      this.step(atMs, letter);
      from = at + 1;
    }
    if (this.state === 'text') this.add(atMs, data.slice(from));
  }

  /** The lines so far, the one that is being written last. Empty ones are left out. */
  lines(): readonly ShownLine[] {
    if (this.text === '') return this.done;
    return [...this.done, { text: this.text, starts: [...this.starts], times: [...this.times] }];
  }

  private step(atMs: number, letter: string): void {
    switch (this.state) {
      case 'text':
        this.control(atMs, letter);
        return;
      case 'escape':
        this.state = afterEscape(letter);
        return;
      case 'escape-more':
        // Intermediate letters, then one final.
        if (letter >= '0') this.state = 'text';
        return;
      case 'csi':
        if (letter === '\u001b') this.state = 'escape';
        else if (letter >= '@' && letter <= '~') this.endSequence(atMs, letter);
        else if (letter === '\u0018' || letter === '\u001a') this.state = 'text';
        return;
      case 'string':
        if (letter === '\u0007' || letter === '\u009c' || letter === '\u0018' || letter === '\u001a')
          this.state = 'text';
        else if (letter === '\u001b') this.state = 'string-escape';
        return;
      case 'string-escape':
        this.state = letter === '\\' ? 'text' : afterEscape(letter);
        return;
    }
  }

  private control(atMs: number, letter: string): void {
    if (letter === '\n' || letter === '\r' || letter === '\u0085' || letter === '\u000b' || letter === '\u000c')
      this.endLine();
    else if (letter === '\t') this.add(atMs, ' ');
    else if (letter === '\b') this.takeBack();
    else if (letter === '\u001b') this.state = 'escape';
    else if (letter === '\u009b') this.state = 'csi';
    else if ('\u0090\u0098\u009d\u009e\u009f'.includes(letter)) this.state = 'string';
  }

  private endSequence(atMs: number, final: string): void {
    this.state = 'text';
    if (MOVES.has(final)) this.endLine();
    else if (SKIPS.has(final) && this.text !== '' && !this.text.endsWith(' ')) this.add(atMs, ' ');
  }

  private add(atMs: number, text: string): void {
    if (text === '') return;
    if (this.times.at(-1) !== atMs) {
      this.starts.push(this.text.length);
      this.times.push(atMs);
    }
    this.text += text;
    if (this.text.length >= LONGEST_LINE) this.endLine();
  }

  private takeBack(): void {
    this.text = this.text.slice(0, -1);
    while (this.starts.length > 0 && (this.starts.at(-1) ?? 0) >= this.text.length && this.starts.length > 1) {
      this.starts.pop();
      this.times.pop();
    }
    if (this.text === '') this.startLine();
  }

  private endLine(): void {
    if (this.text !== '') this.done.push({ text: this.text, starts: this.starts, times: this.times });
    this.startLine();
  }

  private startLine(): void {
    this.text = '';
    this.starts = [];
    this.times = [];
  }
}

function afterEscape(letter: string): State {
  if (letter === '[') return 'csi';
  if (']PX^_'.includes(letter)) return 'string';
  if (letter === '\u001b') return 'escape';
  return letter >= ' ' && letter <= '/' ? 'escape-more' : 'text';
}

/** Where something was found. */
export interface Found {
  /** When its last letter was shown. */
  readonly atMs: number;
  readonly line: string;
  readonly start: number;
  readonly end: number;
}

export interface Findings {
  readonly found: readonly Found[];
  /** Whether there are more than these. */
  readonly isCut: boolean;
}

/** Finds a text in lines, whatever its letters' case, in the order of time. At most `limit`. */
export function findIn(lines: readonly ShownLine[], wanted: string, limit: number): Findings {
  const found: Found[] = [];
  if (wanted === '') return { found, isCut: false };
  const pattern = new RegExp(wanted.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'), 'giu');
  for (const { text, starts, times } of lines)
    for (const { 0: hit, index } of text.matchAll(pattern)) {
      if (found.length === limit) return { found, isCut: true };
      const end = index + hit.length;
      found.push({ atMs: timeOf(starts, times, end - 1), line: text, start: index, end });
    }
  return { found, isCut: false };
}

/** When the letter at a place was shown. */
function timeOf(starts: readonly number[], times: readonly number[], place: number): number {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= place) low = middle;
    else high = middle - 1;
  }
  return times[low] ?? 0;
}
