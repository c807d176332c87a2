import { durationMs, type Clock } from '@curfew/shared/cli';

/** Waits between the moments of a recording as long as it was between them, or less. */
export class ReplayPace {
  /** When the next moment is due, by the boot clock: what takes time by itself is not waited for once more. */
  private dueMs: number;

  constructor(
    private readonly clock: Clock,
    /** How many times faster, and the longest wait, before that. */
    private readonly flags: { readonly speed: number; readonly maxIdle: number },
    private readonly stop: AbortSignal,
  ) {
    this.dueMs = clock.bootTime();
  }

  /** Resolves when a moment is due that was `delayMs` after the one before it; at once when there is no use in waiting. */
  async until(delayMs: number): Promise<void> {
    const now = this.clock.bootTime();
    // A command that runs is followed as it goes: what has just come is not waited for.
    this.dueMs = Math.max(this.dueMs + Math.min(delayMs, this.flags.maxIdle) / this.flags.speed, now);
    const wait = Math.floor(this.dueMs - now);
    if (wait < 1 || this.stop.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        cancel();
        this.stop.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.clock.after(durationMs(wait), done);
      this.stop.addEventListener('abort', done);
    });
  }
}
