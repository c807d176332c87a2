import { durationMs, ManualClock } from '@curfew/shared';

/** How often timers are looked at, ms. */
const BEAT_MS = 5;

/**
 * A clock that goes with the machine's, and that a test moves on besides: what falls due by then happens at once. Stopped,
 * it stands still however slow the machine is: no limit is over, and nothing is given back.
 */
export class MovableClock extends ManualClock {
  private lastMs = 0;
  private beat: NodeJS.Timeout | undefined;

  constructor() {
    super(Date.now());
    this.start();
  }

  /** One that stands still from the beginning. */
  static stopped(): MovableClock {
    const clock = new MovableClock();
    clock.stop();
    return clock;
  }

  /** It goes on from where it stands. */
  start(): void {
    this.stop();
    this.lastMs = performance.now();
    this.beat = setInterval(() => {
      this.catchUp();
    }, BEAT_MS);
  }

  /** It stands still from then on. */
  stop(): void {
    clearInterval(this.beat);
  }

  private catchUp(): void {
    const elapsedMs = Math.floor(performance.now() - this.lastMs);
    this.lastMs += elapsedMs;
    this.advance(durationMs(elapsedMs));
  }
}
