import type { Clock } from '@curfew/shared';
import { Webhook } from 'standardwebhooks';

const [LEAST_KEY_BYTES, MOST_KEY_BYTES] = [24, 64];

/** Says what is wrong with a signing secret: it is 'whsec_' and base64 of 24 to 64 bytes. */
export function signingSecretProblem(secret: string): string | undefined {
  const [, base64 = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
  const bytes = Buffer.from(base64, 'base64').length;
  return bytes < LEAST_KEY_BYTES || bytes > MOST_KEY_BYTES
    ? `must be whsec_ and ${LEAST_KEY_BYTES} to ${MOST_KEY_BYTES} bytes in base64`
    : undefined;
}

/** Signs what is posted, as standardwebhooks.com says. */
export class WebhookSigner {
  private readonly webhook: Webhook;

  /** `secret` is one without a problem. */
  constructor(
    secret: string,
    private readonly clock: Clock,
  ) {
    this.webhook = new Webhook(secret);
  }

  /** The headers by which a receiver knows a body: whose it is, when it was sent, and by its id whether it comes again. */
  headersOf(id: string, body: string): Readonly<Record<string, string>> {
    const at = new Date(this.clock.now());
    return {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': this.webhook.sign(id, at, body),
    };
  }
}
