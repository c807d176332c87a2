import type { Clock } from '../clock.js';
import { ManualClock } from '../manual-clock.js';
import type { Terminal, TextSink } from './terminal.js';

/** A terminal that keeps what was written to it. For tests. */
export class FakeTerminal implements Terminal {
  out = '';
  err = '';
  readonly stdout: TextSink;
  readonly stderr: TextSink;

  constructor(
    tty?: { readonly columns: number; readonly rows: number },
    readonly env: Readonly<Record<string, string | undefined>> = {},
    readonly clock: Clock = new ManualClock(),
  ) {
    const shape = tty === undefined ? {} : { isTTY: true, ...tty };
    this.stdout = { ...shape, write: (text) => (this.out += text) };
    this.stderr = { ...shape, write: (text) => (this.err += text) };
  }
}
