import { durationMs, type CancelTimer, type Clock, type InstantMs } from '@curfew/shared/browser';
import type { ServerClock } from './server-clock.js';

/**
 * The one clock that every countdown on the page follows: tells all of them the server's time at each of its full
 * seconds, and stands still while nobody listens.
 */
export class Ticker {
  private readonly listeners = new Set<() => void>();
  private cancel: CancelTimer | undefined;
  private time: InstantMs;

  constructor(
    private readonly clock: Clock,
    private readonly server: ServerClock,
    private readonly onJump: () => void,
  ) {
    this.time = server.now();
  }

  /** The server's time at the last tick. */
  readonly now = (): InstantMs => this.time;

  /** Calls `listener` at every tick until the returned function is called. */
  readonly subscribe = (listener: () => void): (() => void) => {
    if (this.listeners.size === 0) {
      this.time = this.server.now();
      this.arm();
    }
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.cancel?.();
    };
  };

  private arm(): void {
    const rest = 1_000 - (this.server.now() % 1_000);
    this.cancel = this.clock.after(durationMs(rest + 5), () => {
      this.time = this.server.now();
      if (this.server.jumped()) this.onJump();
      this.arm();
      for (const listener of this.listeners) listener();
    });
  }
}
