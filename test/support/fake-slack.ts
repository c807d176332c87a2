import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A message in a Slack channel. */
export interface PostedMessage {
  readonly channel: string;
  readonly text: string;
  readonly ts: string;
  readonly blocks: readonly SlackBlock[];
}

interface SlackText {
  readonly type: string;
  readonly text: string;
  readonly emoji?: boolean;
}

interface SlackBlock {
  readonly type: string;
  readonly block_id?: string;
  readonly text?: SlackText;
  readonly fields?: readonly SlackText[];
  readonly elements?: readonly SlackButton[];
}

interface SlackButton {
  readonly type: string;
  readonly action_id: string;
  readonly value: string;
  readonly style?: string;
  readonly text: SlackText;
}

/** A person on Slack, as users.info tells of them. */
export interface SlackPerson {
  readonly id: string;
  readonly team_id: string;
  readonly name: string;
  readonly deleted?: boolean;
  readonly is_bot?: boolean;
  readonly is_stranger?: boolean;
  readonly is_email_confirmed?: boolean;
  readonly profile: { readonly email?: string };
}

const TEAM = { id: 'T0EXAMPLE1', domain: 'example' };

/** As much of Slack's Web API as the server uses, as strict as the real one about tokens, forms and Block Kit's limits. */
export class FakeSlack {
  readonly token = 'xoxb-1111111111-2222222222-abcdefABCDEF0123456789ab';
  readonly signingSecret = '8f742231b10e8888abcd99yyyzzz85a5';
  readonly channel = 'C0EXAMPLE9';
  readonly people = new Map<string, SlackPerson>();
  readonly messages: PostedMessage[] = [];
  /** What came to response_urls of presses since `forgetPresses`. */
  readonly responses: Readonly<Record<string, unknown>>[] = [];
  /** Calls that the real Slack would not have understood. */
  readonly complaints: string[] = [];
  /** Answers given instead of taking a message, first come first served. */
  readonly troubles: { readonly status: number; readonly headers?: Record<string, string>; readonly body: string }[] =
    [];
  port = 0;
  private server: Server | undefined;
  private presses = 0;
  private forgotten = 0;

  get api(): string {
    return `http://127.0.0.1:${this.port}/api`;
  }

  get secret(): string {
    return `${this.token} ${this.signingSecret}`;
  }

  async start(): Promise<this> {
    this.server = createServer((request, response) => {
      void this.answer(request).then(({ status, headers = {}, body }) => {
        response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers }).end(body);
      });
    });
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    if (this.server?.listening !== true) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(
    request: IncomingMessage,
  ): Promise<{ status: number; headers?: Record<string, string>; body: string }> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const type = String(request.headers['content-type']);
    if (request.method === 'POST' && request.url?.startsWith('/response/') === true) {
      const of = Number(request.url.slice('/response/'.length));
      if (of > this.forgotten) this.responses.push(JSON.parse(body) as Record<string, unknown>);
      return { status: 200, body: 'ok' };
    }
    const say = (answer: object) => ({ status: 200, body: JSON.stringify(answer) });
    if (request.headers.authorization !== `Bearer ${this.token}`) return say({ ok: false, error: 'invalid_auth' });
    if (request.url === '/api/users.info') {
      if (!type.startsWith('application/x-www-form-urlencoded')) return say({ ok: false, error: 'invalid_form_data' });
      const user = this.people.get(new URLSearchParams(body).get('user') ?? '');
      return say(user === undefined ? { ok: false, error: 'user_not_found' } : { ok: true, user });
    }
    if (request.url !== '/api/chat.postMessage') return say({ ok: false, error: 'unknown_method' });
    const trouble = this.troubles.shift();
    if (trouble !== undefined) return trouble;
    if (!type.startsWith('application/json')) return say({ ok: false, error: 'invalid_post_type' });
    const message = JSON.parse(body) as PostedMessage;
    if (message.channel !== this.channel) return say({ ok: false, error: 'channel_not_found' });
    const problems = blockProblems(message);
    this.complaints.push(...problems);
    if (problems.length > 0) return say({ ok: false, error: 'invalid_blocks', errors: problems });
    const ts = `17932${String(this.messages.length).padStart(5, '0')}.000200`;
    this.messages.push({ ...message, ts });
    return say({ ok: true, channel: message.channel, ts, message: { type: 'message', text: message.text, ts } });
  }

  /** The body that Slack posts when somebody presses a button of a message: recorded, with other names. */
  press(
    message: PostedMessage,
    verb: 'approve' | 'deny',
    user: { readonly id: string; readonly team_id: string; readonly name: string },
    change: object = {},
  ): string {
    const actions = message.blocks.find(({ type }) => type === 'actions');
    const button = actions?.elements?.find(({ action_id: id }) => id.endsWith(verb));
    const payload = {
      type: 'block_actions',
      user: { id: user.id, username: user.name, name: user.name, team_id: user.team_id },
      api_app_id: 'A0EXAMPLE2',
      token: 'verification-token-that-nobody-should-use',
      container: { type: 'message', message_ts: message.ts, channel_id: message.channel, is_ephemeral: false },
      trigger_id: '13345224609.738474920.8088930838d88f008e0',
      team: TEAM,
      enterprise: null,
      is_enterprise_install: false,
      channel: { id: message.channel, name: 'ops' },
      message: { bot_id: 'B0EXAMPLE3', type: 'message', text: message.text, ts: message.ts, blocks: message.blocks },
      state: { values: {} },
      response_url: `http://127.0.0.1:${this.port}/response/${++this.presses}`,
      actions: [
        {
          action_id: button?.action_id,
          block_id: actions?.block_id,
          text: button?.text,
          value: button?.value,
          style: button?.style,
          type: 'button',
          action_ts: '1793200001.123456',
        },
      ],
      ...change,
    };
    return new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  }

  /** Forgets what came to response_urls, also what is still to come of the presses before. */
  forgetPresses(): void {
    this.forgotten = this.presses;
    this.responses.length = 0;
  }

  /** The headers of Slack's signature (v0). */
  sign(body: string, seconds: number, secret = this.signingSecret): Record<string, string> {
    const hmac = createHmac('sha256', secret).update(`v0:${seconds}:${body}`).digest('hex');
    return {
      'content-type': 'application/x-www-form-urlencoded',
      'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
      'x-slack-request-timestamp': String(seconds),
      'x-slack-signature': `v0=${hmac}`,
    };
  }

  /** Somebody of the workspace. */
  person(id: string, email: string, change: Partial<SlackPerson> = {}): SlackPerson {
    const person = {
      id,
      team_id: TEAM.id,
      name: id.toLowerCase(),
      is_email_confirmed: true,
      profile: { email },
      ...change,
    };
    this.people.set(id, person);
    return person;
  }
}

/** What Block Kit would refuse (api.slack.com/reference/block-kit). */
function blockProblems({ text, blocks }: PostedMessage): string[] {
  const problems: string[] = [];
  const check = (fits: boolean, what: string): void => {
    if (!fits) problems.push(what);
  };
  const isText = ({ type, text: shown }: SlackText, most: number): boolean =>
    ['plain_text', 'mrkdwn'].includes(type) && shown.length > 0 && shown.length <= most;
  check(typeof text === 'string' && text.length > 0 && text.length <= 40_000, 'text');
  check(blocks.length > 0 && blocks.length <= 50, 'blocks');
  for (const { type, text: section, fields, elements, block_id: id } of blocks) {
    check(['section', 'actions', 'context', 'header', 'divider'].includes(type), `block type ${type}`);
    check((id ?? '').length <= 255, 'block_id');
    if (type === 'section') {
      check(section !== undefined || fields !== undefined, 'a section without text');
      if (section !== undefined) check(isText(section, 3_000), 'section text');
      if (fields !== undefined) check(fields.length > 0 && fields.length <= 10, 'number of fields');
      for (const field of fields ?? []) check(isText(field, 2_000), 'field text');
    }
    if (type !== 'actions') continue;
    check(elements !== undefined && elements.length > 0 && elements.length <= 25, 'number of elements');
    const ids = (elements ?? []).map(({ action_id: action }) => action);
    check(new Set(ids).size === ids.length, 'action_id twice');
    for (const button of elements ?? []) {
      check(button.type === 'button' && button.text.type === 'plain_text' && isText(button.text, 75), 'button text');
      check(button.action_id.length <= 255 && button.value.length <= 2_000, 'button value');
      check(button.style === undefined || ['primary', 'danger'].includes(button.style), 'button style');
    }
  }
  return problems;
}
