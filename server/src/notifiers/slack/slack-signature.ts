import type { Clock } from '@curfew/shared';
import { createHmac, timingSafeEqual } from 'node:crypto';

/** How far the time of a call may be from ours (api.slack.com/authentication/verifying-requests-from-slack). */
const LIFE_SECONDS = 5 * 60;
/** Signatures that are remembered; more calls than that within their life are refused. */
const MOST_REMEMBERED = 10_000;

/** Knows calls that Slack has signed, each of them once. */
export class SlackSignatures {
  /** When the time of each signature is over, oldest first. */
  private readonly seen = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  /** Whether the secret's owner has signed this very body, a moment ago, and it is seen for the first time. */
  takes(secret: string, rawBody: Buffer, timestamp: string, signature: string): boolean {
    const now = Math.floor(this.clock.now() / 1000);
    if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now - Number(timestamp)) > LIFE_SECONDS) return false;
    const hmac = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(rawBody);
    const expected = Buffer.from(`v0=${hmac.digest('hex')}`);
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
    for (const [old, overAt] of this.seen) {
      if (overAt >= now) break;
      this.seen.delete(old);
    }
    if (this.seen.has(signature) || this.seen.size >= MOST_REMEMBERED) return false;
    // A call from the future can be repeated until its own time is over.
    this.seen.set(signature, now + 2 * LIFE_SECONDS);
    return true;
  }
}
