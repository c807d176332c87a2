import type { Clock } from './clock.js';

/** How much of something a key may do: `burst` at once, and `perSecond` in the long run. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** How many keys are remembered before full buckets, which say nothing, are forgotten. */
const KEYS_KEPT = 10_000;

interface Bucket {
  tokens: number;
  at: number;
}

/** One token bucket for each key, by boot time. A flood of keys costs no more memory than `most` of them. */
export class TokenBuckets {
  private readonly buckets = new Map<string, Bucket>();

  constructor(
    private readonly clock: Clock,
    private readonly rate: Rate,
    private readonly most = KEYS_KEPT,
  ) {}

  /** Takes a token of the key. Gives 0, or after how many milliseconds there will be one. */
  take(key: string): number {
    const bucket = this.filled(key);
    const wait = this.waitOf(bucket);
    if (wait === 0) bucket.tokens -= 1;
    return wait;
  }

  /** Gives a token back that was taken for nothing. */
  giveBack(key: string): void {
    const bucket = this.buckets.get(key);
    if (bucket !== undefined) bucket.tokens = Math.min(this.rate.burst, bucket.tokens + 1);
  }

  /** After how many milliseconds there will be a token; takes none. */
  wait(key: string): number {
    return this.buckets.has(key) ? this.waitOf(this.filled(key)) : 0;
  }

  private waitOf({ tokens }: Bucket): number {
    // What is left of a millisecond after so many additions is not waited for.
    return Math.max(0, Math.ceil(((1 - tokens) / this.rate.perSecond) * 1000 - 1e-6));
  }

  private filled(key: string): Bucket {
    const now = this.clock.bootTime();
    const known = this.buckets.get(key);
    if (known === undefined) {
      if (this.buckets.size >= this.most) this.forget(now);
      const bucket = { tokens: this.rate.burst, at: now };
      this.buckets.set(key, bucket);
      return bucket;
    }
    known.tokens = this.level(known, now);
    known.at = now;
    return known;
  }

  private level({ tokens, at }: Bucket, now: number): number {
    return Math.min(this.rate.burst, tokens + ((now - at) / 1000) * this.rate.perSecond);
  }

  /** Forgets what is full again; if everything is in use, what was made first. */
  private forget(now: number): void {
    for (const [key, bucket] of this.buckets) if (this.level(bucket, now) >= this.rate.burst) this.buckets.delete(key);
    for (const key of this.buckets.keys()) {
      if (this.buckets.size < this.most) return;
      this.buckets.delete(key);
    }
  }
}
