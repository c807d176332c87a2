import { createLogger, type Logger } from '@curfew/shared';
import { Writable } from 'node:stream';

/** A program's real log, line by line, in memory. */
export class LogLines {
  readonly lines: Record<string, unknown>[] = [];
  readonly logger: Logger;

  constructor(program: string) {
    const sink = new Writable({
      write: (text: Buffer, _, done) => {
        for (const line of text.toString().split('\n').filter(Boolean))
          this.lines.push(JSON.parse(line) as Record<string, unknown>);
        done();
      },
    });
    this.logger = createLogger(program, 'info', sink);
  }
}
