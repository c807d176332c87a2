import { durationMs, type Clock, type CurfewError, type DurationMs } from '@curfew/shared';
import type { ServerResponse } from 'node:http';
import { errorBody } from './http-status.js';

/** After how many signs of life without room for one a reader counts as gone. */
const MISSED = 3;
/** How long a reader has for what was sent before the end. */
const END_WITHIN = durationMs(5_000);

/** An answer of one JSON message a line, each sent at once; an empty line is a sign of life. */
export class JsonLines {
  private readonly aborted = new AbortController();
  private stop = (): void => undefined;
  private missed = 0;

  constructor(
    private readonly response: ServerResponse,
    private readonly clock: Clock,
    private readonly every: DurationMs,
  ) {
    if (response.destroyed || response.writableEnded) this.aborted.abort();
    response.once('close', this.onClose);
    this.arm();
  }

  /** Aborted when the reader is gone. */
  get gone(): AbortSignal {
    return this.aborted.signal;
  }

  /** Whether something was sent, so that the status can no longer be another. */
  get begun(): boolean {
    return this.response.headersSent;
  }

  /** Sends a message; resolves once there is room for the next, or the reader is gone. */
  async write(message: unknown): Promise<void> {
    if (this.gone.aborted || this.put(`${JSON.stringify(message)}\n`)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.response.off('drain', done);
        this.gone.removeEventListener('abort', done);
        resolve();
      };
      this.response.once('drain', done);
      this.gone.addEventListener('abort', done);
    });
  }

  /** Ends the answer; with an error, that is the last line. */
  end(error?: CurfewError): void {
    if (this.gone.aborted) return;
    if (error !== undefined) this.put(`${JSON.stringify({ error: errorBody(error) })}\n`);
    else if (!this.begun) this.head();
    this.response.end();
    const cancel = this.clock.after(END_WITHIN, () => {
      this.response.destroy();
    });
    this.response.once('close', cancel);
  }

  /** Lets go of the clock and the response. */
  close(): void {
    this.stop();
    this.response.off('close', this.onClose);
  }

  private readonly onClose = (): void => {
    this.aborted.abort();
  };

  private head(): void {
    this.response.writeHead(200, { 'content-type': 'application/jsonl' });
  }

  private put(text: string): boolean {
    if (!this.begun) this.head();
    return this.response.write(text);
  }

  private arm(): void {
    this.stop = this.clock.after(this.every, () => {
      if (this.gone.aborted) return;
      this.missed = this.response.writableNeedDrain ? this.missed + 1 : 0;
      if (this.missed >= MISSED) {
        this.response.destroy();
        return;
      }
      if (this.missed === 0) this.put('\n');
      this.arm();
    });
  }
}
