import type { Clock } from '@curfew/shared';
import type { Notice } from '../notice.js';
import { delivered, refused, unreachable, type Outcome, type Sender } from '../sender.js';
import { WebhookSigner } from '../targets/webhook-signer.js';
import { NoAnswer, type HttpAnswer, type HttpPoster } from '../targets/http-post.js';

/** Too Many Requests (RFC 6585): the receiver is well, and asks for a pause. */
const TOO_MANY = 429;
const SHOWN_ANSWER = 200;

/** Posts each notice to an address, signed as standardwebhooks.com says. */
export class WebhookSender implements Sender {
  readonly ordered = false;
  private readonly signer: WebhookSigner;

  constructor(
    private readonly poster: HttpPoster,
    clock: Clock,
    private readonly target: URL,
    /** 'whsec_' and base64. */
    secret: string,
  ) {
    this.signer = new WebhookSigner(secret, clock);
  }

  async send([notice]: readonly [Notice], signal: AbortSignal): Promise<Outcome> {
    const body = webhookBody(notice);
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'user-agent': 'curfew-server',
      ...this.signer.headersOf(notice.id, body),
    };
    return outcomeOf(this.poster.post({ url: this.target, headers, body, signal }), ({ status, body: text }) =>
      status >= 200 && status < 300
        ? delivered(`HTTP ${status}`)
        : refused(`HTTP ${status} ${text.slice(0, SHOWN_ANSWER)}`.trim()),
    );
  }
}

/** What is posted: type, time and data, as the specification of standard webhooks proposes. */
function webhookBody({ type, atMs, index, actor, subject, data }: Notice): string {
  const timestamp = new Date(atMs).toISOString();
  return JSON.stringify({ type, timestamp, data: { index, actor, subject, ...without(data) } });
}

/** Facts that have the name of a field of ours do not take its place. */
const without = (data: Notice['data']): object =>
  Object.fromEntries(
    Object.entries(data).map(([name, value]) => [
      ['index', 'actor', 'subject'].includes(name) ? `event_${name}` : name,
      value,
    ]),
  );

/** The outcome of a posting: by its answer, or of what kept the answer away. */
export async function outcomeOf(
  posting: Promise<HttpAnswer>,
  judge: (answer: HttpAnswer) => Outcome,
): Promise<Outcome> {
  try {
    const answer = await posting;
    if (answer.status !== TOO_MANY) return judge(answer);
    const seconds = /^\d{1,6}$/.exec(answer.headers['retry-after'] ?? '')?.[0] ?? '0';
    return { kind: 'unreachable', detail: 'HTTP 429: asked for a pause', retryAfterMs: Number(seconds) * 1000 };
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return error.connected ? refused(error.message) : unreachable(error.message);
  }
}
