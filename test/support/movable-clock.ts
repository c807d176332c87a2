import { durationMs, ManualClock } from '@curfew/shared';

/** How often timers are looked at, ms. */
const BEAT_MS = 5;

/** A clock that goes with the machine's, and that a test moves on besides: what falls due by then happens at once. */
export class MovableClock extends ManualClock {
  private lastMs = performance.now();
  private readonly beat = setInterval(() => {
    this.catchUp();
  }, BEAT_MS);

  constructor() {
    super(Date.now());
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
