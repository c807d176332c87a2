import { durationMs, type DurationMs } from './instant.js';
import type { Random } from './random.js';

/** Exponential backoff with full jitter: between `leastMs` and the doubled limit, at most `mostMs`. */
export class Backoff {
  private attempt = 0;

  constructor(
    private readonly random: Random,
    private readonly leastMs: number,
    private readonly mostMs: number,
  ) {}

  /** The next wait; at most `mostMs` this time. */
  next(mostMs = this.mostMs): DurationMs {
    const limit = Math.min(mostMs, this.leastMs * 2 ** this.attempt);
    this.attempt = Math.min(this.attempt + 1, 30);
    return durationMs(this.leastMs + this.random.fraction() * Math.max(0, limit - this.leastMs));
  }

  reset(): void {
    this.attempt = 0;
  }
}
