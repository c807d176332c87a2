import { stripVTControlCharacters } from 'node:util';
import { durationMs } from '../instant.js';
import { lookOf, type Look, type Terminal } from './terminal.js';

/** Draws a picture over its own last one, on a terminal that a person looks at. Its caller says when. */
export class LiveScreen {
  private drawn = 0;

  constructor(private readonly terminal: Terminal) {}

  /** Shows the text in place of the one before. What does not fit on the screen is counted instead. */
  draw(text: string): void {
    const { stdout } = this.terminal;
    const columns = stdout.columns || 80;
    const room = Math.max(3, (stdout.rows || 24) - 1);
    const lines = text.replace(/\n$/, '').split('\n');
    const height = (line: string): number =>
      Math.max(1, Math.ceil(stripVTControlCharacters(line).length / Math.max(1, columns)));
    const shown: string[] = [];
    let used = 0;
    for (const line of lines) {
      if (used + height(line) > room - 1 && shown.length < lines.length - 1) break;
      shown.push(line);
      used += height(line);
    }
    if (shown.length < lines.length) {
      shown.push(`… and ${lines.length - shown.length} more`);
      used += 1;
    }
    stdout.write(`${this.drawn > 0 ? `\u001b[${this.drawn}A` : ''}\r\u001b[J${shown.join('\n')}\n`);
    this.drawn = used;
  }

  /** Takes the last picture off the screen. */
  clear(): void {
    if (this.drawn > 0) this.terminal.stdout.write(`\u001b[${this.drawn}A\r\u001b[J`);
    this.drawn = 0;
  }
}

/**
 * Calls `draw` now, and at every full second of the wall clock until the returned function is called. What is drawn is
 * computed from the clock each time, so countdowns never drift.
 */
export function everySecond(terminal: Terminal, draw: (look: Look) => void): () => void {
  const { clock } = terminal;
  let cancel = (): void => undefined;
  const tick = (): void => {
    draw(lookOf(terminal.stdout, terminal.env));
    cancel = clock.after(durationMs(1000 - (clock.now() % 1000)), tick);
  };
  tick();
  return () => cancel();
}
