import type { Clock } from '../clock.js';

/** Where text goes: a process stream, or a buffer in a test. */
export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** What a command line tool may use of the world around it. Data goes to stdout, talk to stderr. */
export interface Terminal {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/** How text for a sink is to look. */
export interface Look {
  readonly colour: boolean;
  /** Columns to stay within. Unset means that nothing is cut: the reader is a program or a file. */
  readonly width?: number;
}

/** No colour unless a person looks on, and none when NO_COLOR is set (no-color.org) or the terminal is dumb. */
export function lookOf(sink: TextSink, env: Terminal['env']): Look {
  if (sink.isTTY !== true) return { colour: false };
  const colour = (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  return { colour, width: Math.max(40, sink.columns || 80) };
}

/** Says one line to the person. The caller makes hostile text safe. */
export const say = (terminal: Terminal, line: string): void => {
  terminal.stderr.write(`${line}\n`);
};
