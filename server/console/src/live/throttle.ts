import { durationMs, type CancelTimer, type Clock } from '@curfew/shared/browser';

/** Runs something soon after it is asked for, and again at most once per interval while it is asked for more often. */
export class Throttle {
  private cancel: CancelTimer | undefined;
  private again = false;

  constructor(
    private readonly clock: Clock,
    private readonly soonMs: number,
    private readonly intervalMs: number,
    private readonly run: () => void,
  ) {}

  /** Asks for a run. */
  ask(): void {
    if (this.cancel !== undefined) {
      this.again = true;
      return;
    }
    this.cancel = this.clock.after(durationMs(this.soonMs), () => {
      this.run();
      this.rest();
    });
  }

  /** Runs no more. */
  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
    this.again = false;
  }

  private rest(): void {
    this.again = false;
    this.cancel = this.clock.after(durationMs(this.intervalMs), () => {
      this.cancel = undefined;
      if (this.again) this.ask();
    });
  }
}
