import { durationMs, type Clock } from '@curfew/shared';
import type { Identity } from './authenticate.js';

/**
 * Holds one open stream to its caller's right to it: looks again when told to, and when that right runs out by itself.
 * The signal is aborted when the caller is gone or may no longer call.
 */
export class StreamWatcher {
  private readonly abort = new AbortController();
  private readonly lost: Promise<never>;
  private lose = (_error: unknown): void => undefined;
  private disarm = (): void => undefined;

  constructor(
    private readonly gone: AbortSignal,
    private readonly clock: Clock,
    identity: Identity,
    private readonly authenticate: () => Promise<Identity>,
  ) {
    this.lost = new Promise((_, reject) => {
      this.lose = reject;
    });
    // Whoever waits hears of it; when nobody does any more, there is nobody to tell.
    this.lost.catch(() => undefined);
    if (gone.aborted) this.abort.abort();
    else gone.addEventListener('abort', this.onGone);
    this.arm(identity);
  }

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  /** Looks again whether the caller may still call. */
  recheck(): void {
    void this.authenticate().then(
      (identity) => {
        this.arm(identity);
      },
      (error: unknown) => {
        this.end(error);
      },
    );
  }

  /** Ends the stream with an error. */
  end(error: unknown): void {
    this.abort.abort();
    this.lose(error);
  }

  /** Waits for the work, or until the right is lost. Errors: the work's, and why the right was lost. */
  orLost<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.lost]);
  }

  /** Waits for the work, or until the stream is over for whatever reason. */
  async orOver(work: Promise<void>): Promise<void> {
    let over = (): void => undefined;
    const aborted = new Promise<void>((resolve) => {
      over = resolve;
    });
    this.signal.addEventListener('abort', over);
    try {
      await Promise.race([work, aborted]);
    } finally {
      this.signal.removeEventListener('abort', over);
    }
  }

  /** Forgets the stream; ends what still works for it. */
  close(): void {
    this.disarm();
    this.disarm = () => undefined;
    this.gone.removeEventListener('abort', this.onGone);
    this.abort.abort();
  }

  private readonly onGone = (): void => {
    this.abort.abort();
  };

  private arm(identity: Identity): void {
    this.disarm();
    if (this.signal.aborted || identity.kind !== 'user' || identity.caller.validUntilMs === undefined) return;
    const left = Math.max(0, identity.caller.validUntilMs - this.clock.now());
    this.disarm = this.clock.after(durationMs(left + 1), () => {
      this.recheck();
    });
  }
}
