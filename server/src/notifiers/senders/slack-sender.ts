import type { Notice } from '../notice.js';
import { delivered, refused, unreachable, type Outcome, type Sender } from '../sender.js';
import { slackMessage } from '../slack/slack-message.js';
import type { HttpPoster } from '../targets/http-post.js';
import { outcomeOf } from './webhook-sender.js';

/** Errors of Slack's that are about Slack and not about the message (api.slack.com/methods/chat.postMessage). */
const PASSING = ['ratelimited', 'service_unavailable', 'internal_error', 'fatal_error', 'request_timeout'];

/** Posts each notice into a Slack channel; a new request with buttons to decide it. */
export class SlackSender implements Sender {
  readonly ordered = false;

  constructor(
    private readonly poster: HttpPoster,
    /** Slack's Web API without a slash at its end. */
    private readonly api: string,
    private readonly target: string,
    private readonly token: string,
  ) {}

  async send([notice]: readonly [Notice], signal: AbortSignal): Promise<Outcome> {
    const body = JSON.stringify(slackMessage(this.target, notice));
    const headers = { 'content-type': 'application/json; charset=utf-8', authorization: `Bearer ${this.token}` };
    const url = new URL(`${this.api}/chat.postMessage`);
    return outcomeOf(this.poster.post({ url, headers, body, signal }), ({ status, body: text }) => {
      if (status !== 200) return refused(`HTTP ${status}`);
      const { ok, error } = slackAnswer(text);
      if (ok) return delivered('posted');
      return PASSING.includes(error) ? unreachable(`Slack says ${error}`) : refused(`Slack says ${error}`);
    });
  }
}

/** Slack's answer: whether it did what was asked, else why not. */
function slackAnswer(text: string): { readonly ok: boolean; readonly error: string } {
  try {
    const answer = JSON.parse(text) as { ok?: unknown; error?: unknown } | null;
    if (answer?.ok === true) return { ok: true, error: '' };
    return { ok: false, error: typeof answer?.error === 'string' ? answer.error : 'nothing that can be read' };
  } catch {
    return { ok: false, error: 'nothing that can be read' };
  }
}
