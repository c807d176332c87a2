import {
  AccessRequestState,
  ChannelKind,
  DeviceServiceService,
  ListAccessRequestsRequest,
  RequestServiceService,
  Role,
  UserServiceService,
} from '@curfew/proto';
import { SystemClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { refusalOf } from '../support/api-client.js';
import { ChannelOperator } from '../support/channel-operator.js';
import { FakeSlack, type PostedMessage, type SlackPerson } from '../support/fake-slack.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

const SOON = { withinMs: 30_000 };
/** Seconds since 1970. */
const now = (): number => Math.floor(new SystemClock().now() / 1000);

describe('requests on Slack', function () {
  this.timeout(60_000);
  let slack: FakeSlack;
  let server: TestServer;
  let operator: ChannelOperator;
  let device: ScriptedDevice;
  let url: string;
  let olga: SlackPerson;

  before(async () => {
    slack = await new FakeSlack().start();
    server = await startTestServer({ CURFEW_NOTIFICATIONS_SLACK_API: `${slack.api}/` });
    operator = new ChannelOperator(server);
    const { secret } = await operator.api.unary(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined });
    device = await ScriptedDevice.enroll(server, secret, 'web-1', ['alice', 'olga']);
    await operator.createUser('olga', Role.APPROVER);
    await operator.createUser('maria@example.com', Role.APPROVER);
    await operator.createUser('victor', Role.VIEWER);
    olga = slack.person('U0OLGA', 'olga@elsewhere.example');
    slack.person('U0MARIA', 'Maria@Example.com');
    slack.person('U0VICTOR', 'victor@elsewhere.example');
    const { channel } = await operator.put('ops', ChannelKind.SLACK, slack.channel, {
      eventTypes: ['request.'],
      secret: slack.secret,
      slackUsers: [
        { slackId: 'U0OLGA', user: 'olga' },
        { slackId: 'U0VICTOR', user: 'victor' },
      ],
    });
    url = `${server.consoleUrl}/hooks/slack/${channel?.id ?? ''}`;
  });
  after(async () => {
    assert.deepEqual(slack.complaints, [], 'Slack has understood everything');
    device.close();
    operator.close();
    await server.close();
    await slack.stop();
  });
  beforeEach(() => {
    slack.forgetPresses();
  });
  /** Ends what is open, so that the next test can ask. */
  afterEach(async () => {
    const states = [AccessRequestState.PENDING, AccessRequestState.APPROVED];
    const list = ListAccessRequestsRequest.fromPartial({ filter: { states } });
    const { requests } = await operator.api.unary(RequestServiceService.listAccessRequests, list);
    for (const { id, account } of requests)
      await new Promise<void>((resolve, reject) =>
        device.link.cancelAccessRequest({ requestId: id, account }, (error) =>
          error === null ? resolve() : reject(error),
        ),
      );
  });

  /** Somebody asks; gives the request and its message. */
  async function ask(account: string, reason: string): Promise<{ id: string; message: PostedMessage }> {
    const before = slack.messages.length;
    const wish = {
      account: device.account(account),
      duration: { seconds: 600n, nanos: 0 },
      reason,
      options: undefined,
      ticket: '',
      breakGlass: false,
      resource: '',
      resourceAccount: '',
    };
    const id = await new Promise<string>((resolve, reject) =>
      device.link.createAccessRequest(wish, (error, answer) =>
        error === null ? resolve(answer.request?.id ?? '') : reject(error),
      ),
    );
    const isOfIt = ({ blocks }: PostedMessage): boolean =>
      blocks.some(({ elements }) => elements?.some(({ value }) => value === id));
    const message = await eventually(() => slack.messages.slice(before).find(isOfIt), SOON);
    return { id, message };
  }
  const stateOf = async (requestId: string): Promise<AccessRequestState | undefined> =>
    (await operator.api.unary(RequestServiceService.getAccessRequest, { requestId })).request?.state;
  const call = async (body: string, headers: Record<string, string>, to = url): Promise<number> =>
    (await fetch(to, { method: 'POST', body, headers })).status;
  const press = (message: PostedMessage, verb: 'approve' | 'deny', by: SlackPerson, change: object = {}) => {
    const body = slack.press(message, verb, by, change);
    return call(body, slack.sign(body, now()));
  };
  const response = (): Promise<Readonly<Record<string, unknown>>> => eventually(() => slack.responses[0], SOON);
  async function deny(requestId: string): Promise<void> {
    await operator.api.unary(RequestServiceService.denyAccessRequest, { requestId, reason: 'next' });
  }

  it('are approved with a press, by a user who is linked by the id on Slack', async () => {
    const { id, message } = await ask('alice', 'the disk of web-1 is full');
    assert.match(message.text, /alice asks for admin rights for 10m on device:web-1/);
    assert.equal(await press(message, 'approve', olga), 200);
    assert.match(String((await response())['text']), /approved by olga/);
    assert.equal(slack.responses[0]?.['replace_original'], true);
    assert.equal(await stateOf(id), AccessRequestState.APPROVED);
    await eventually(() => slack.messages.some(({ text }) => /request.approved.*by user:olga/.test(text)), SOON);
    const { request } = await operator.api.unary(RequestServiceService.getAccessRequest, { requestId: id });
    assert.deepEqual([request?.decidedBy, request?.decisionReason], ['olga', 'decided on Slack']);
  });

  it('are denied with a press, by a user whose mail address Slack has confirmed', async () => {
    const { id, message } = await ask('alice', 'again');
    assert.equal(await press(message, 'deny', slack.people.get('U0MARIA')!), 200);
    assert.match(String((await response())['text']), /denied by maria@example\.com/);
    assert.equal(await stateOf(id), AccessRequestState.DENIED);
  });

  it('are not decided by those who may not, who alone are told why', async () => {
    const { id, message } = await ask('alice', 'again');
    const cases: readonly [string, SlackPerson, RegExp][] = [
      ['a viewer', slack.people.get('U0VICTOR')!, /the role viewer may not .*METHOD_NOT_ALLOWED/],
      ['somebody unknown', slack.person('U0NOBODY', 'nobody@example.com'), /Nobody here is known/],
      ['a mail not confirmed', slack.person('U0M1', 'maria@example.com', { is_email_confirmed: false }), /Nobody here/],
      [
        'a guest of another workspace',
        slack.person('U0M2', 'maria@example.com', { team_id: 'T0OTHER' }),
        /Nobody here/,
      ],
      ['a stranger', slack.person('U0M3', 'maria@example.com', { is_stranger: true }), /Nobody here/],
      ['a bot', slack.person('U0M4', 'maria@example.com', { is_bot: true }), /Nobody here/],
      ['one who has left', slack.person('U0M5', 'maria@example.com', { deleted: true }), /Nobody here/],
    ];
    for (const [name, who, says] of cases) {
      slack.forgetPresses();
      assert.equal(await press(message, 'approve', who), 200, name);
      const told = await response();
      assert.match(String(told['text']), says, name);
      assert.deepEqual([told['response_type'], told['replace_original']], ['ephemeral', false], name);
      assert.equal(await stateOf(id), AccessRequestState.PENDING, name);
    }
  });

  it('are not decided by whoever asks', async () => {
    const { id, message } = await ask('olga', 'for myself');
    await press(message, 'approve', olga);
    assert.match(String((await response())['text']), /SELF_APPROVAL/);
    assert.equal(await stateOf(id), AccessRequestState.PENDING);
  });

  it('are not decided by a user who is disabled', async () => {
    const { id, message } = await ask('alice', 'again');
    const update = { displayName: undefined, role: Role.UNSPECIFIED, groups: undefined, email: undefined };
    await operator.api.unary(UserServiceService.updateUser, { user: 'olga', disabled: true, ...update });
    await press(message, 'approve', olga);
    assert.match(String((await response())['text']), /Nobody here is known/);
    assert.equal(await stateOf(id), AccessRequestState.PENDING);
    await operator.api.unary(UserServiceService.updateUser, { user: 'olga', disabled: false, ...update });
  });

  it('that are decided already stay as they are', async () => {
    const { id, message } = await ask('alice', 'again');
    await deny(id);
    await press(message, 'approve', olga);
    assert.match(String((await response())['text']), /REQUEST_NOT_PENDING/);
    assert.equal(await stateOf(id), AccessRequestState.DENIED);
  });

  it('are not decided by calls that Slack has not signed for this channel, just now, for the first time', async () => {
    const { id, message } = await ask('alice', 'again');
    const body = slack.press(message, 'approve', olga);
    const good = slack.sign(body, now());
    const { 'x-slack-signature': signature = '', 'x-slack-request-timestamp': timestamp = '' } = good;
    const without = (name: string) => Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));
    const other = slack.press(message, 'approve', olga, { trigger_id: 'x' });
    const cases: readonly [string, string, Record<string, string>, string?][] = [
      ['no signature', body, without('x-slack-signature')],
      ['no time', body, without('x-slack-request-timestamp')],
      ['another secret', body, slack.sign(body, now(), 'another')],
      ['another body', other, good],
      ['another time', body, { ...good, 'x-slack-request-timestamp': String(Number(timestamp) + 1) }],
      ['six minutes ago', body, slack.sign(body, now() - 360)],
      ['in six minutes', body, slack.sign(body, now() + 360)],
      ['a time that is none', body, { ...slack.sign(body, now()), 'x-slack-request-timestamp': 'NaN' }],
      ['half a signature', body, { ...good, 'x-slack-signature': signature.slice(0, -2) }],
      ['another version', body, { ...good, 'x-slack-signature': signature.replace('v0', 'v1') }],
      ['another channel', body, good, url.replace(/chn-.*/, 'chn-00000000000000000000')],
      ['a channel by its name', body, good, url.replace(/chn-.*/, 'ops')],
      ['a body beyond measure', body + 'x'.repeat(300_000), slack.sign(body + 'x'.repeat(300_000), now())],
    ];
    for (const [name, text, headers, to] of cases) assert.equal(await call(text, headers, to), 401, name);
    assert.equal(await stateOf(id), AccessRequestState.PENDING);
    assert.deepEqual(slack.responses, []);
    // The very first one is taken; a second time it is not.
    const nothing = slack.press(message, 'approve', slack.people.get('U0NOBODY')!);
    const signed = slack.sign(nothing, now());
    assert.deepEqual([await call(nothing, signed), await call(nothing, signed)], [200, 401]);
  });

  it('are not decided by what is signed and means nothing, or another message', async () => {
    const { id, message } = await ask('alice', 'again');
    const button = { action_id: 'curfew_approve', value: id, type: 'button' };
    const changes: readonly object[] = [
      { type: 'view_submission' },
      { actions: [] },
      { actions: null },
      { actions: [{ ...button, value: 'req-1' }] },
      { actions: [{ ...button, value: { $gt: '' } }] },
      { actions: [{ ...button, action_id: '__proto__' }] },
      { channel: { id: 'C0ANOTHER1', name: 'x' } },
      { channel: null },
    ];
    for (const change of changes) assert.equal(await press(message, 'approve', olga, change), 200);
    for (const body of ['payload=', 'payload=null', 'payload={', 'x', '', 'payload=%00', 'payload=[]', 'payload="x"'])
      assert.equal(await call(body, slack.sign(body, now())), 200, body);
    assert.equal(await stateOf(id), AccessRequestState.PENDING);
  });

  it('answer only where Slack takes answers', async () => {
    const { id, message } = await ask('alice', 'again');
    const spy = createServer((_, response_) => void response_.end()).listen(0, '127.0.0.1');
    let calls = 0;
    spy.on('request', () => calls++);
    await once(spy, 'listening');
    const elsewhere = `http://127.0.0.1:${(spy.address() as AddressInfo).port}/steal`;
    for (const responseUrl of [elsewhere, 'file:///etc/passwd', 'x', '']) {
      await press(message, 'approve', slack.people.get('U0VICTOR')!, { response_url: responseUrl });
    }
    await press(message, 'approve', olga);
    await response();
    assert.equal(await stateOf(id), AccessRequestState.APPROVED);
    assert.equal(calls, 0);
    spy.closeAllConnections();
    spy.close();
  });

  it('are decided through what owners have set up: an admin does not say who decides in whose name', async () => {
    await operator.createUser('anton', Role.ADMIN);
    const wish = { user: 'anton', label: 'test', scope: Role.UNSPECIFIED, ttl: undefined };
    const { secret: token } = await operator.api.unary(UserServiceService.createApiToken, wish);
    const admin = new ChannelOperator(server, token);
    const { secret, channel: target } = slack;
    /** What somebody has said of the channel; how it does goes on changing. */
    const said = async () => {
      const { target: to, eventTypes: types, slackUsers: people, disabled } = (await operator.channel('ops')) ?? {};
      return { to, types, people, disabled };
    };
    const ops = await said();
    const { types: eventTypes = [], people: slackUsers = [] } = ops;
    const asOwner = [{ slackId: 'U0ANTON', user: 'owner' }];
    const cases: readonly [string, string, Parameters<ChannelOperator['put']>[3]][] = [
      ['mine', target, { secret, slackUsers: asOwner }],
      ['ops', target, { eventTypes, slackUsers: [...slackUsers, ...asOwner] }],
      ['ops', target, { eventTypes, slackUsers, secret }],
      ['ops', target, { eventTypes, slackUsers: asOwner, disabled: true }],
      ['ops', target, { eventTypes, slackUsers, secret, disabled: true }],
      ['ops', 'C0ANOTHER1', { eventTypes, slackUsers, disabled: true }],
      ['ops', target, { slackUsers, disabled: true }],
    ];
    for (const [name, where, more] of cases) {
      const refusal = await refusalOf(admin.put(name, ChannelKind.SLACK, where, more));
      assert.equal(refusal?.code, 'METHOD_NOT_ALLOWED', JSON.stringify([name, where, more]));
      assert.deepEqual(await said(), ops);
      assert.equal(await operator.channel('mine'), undefined);
    }
    await admin.put('ops', ChannelKind.SLACK, target, { eventTypes, slackUsers, disabled: true });
    assert.deepEqual(await said(), { ...ops, disabled: true });
    const enable = admin.put('ops', ChannelKind.SLACK, target, { eventTypes, slackUsers });
    assert.equal((await refusalOf(enable))?.code, 'METHOD_NOT_ALLOWED');
    assert.equal((await operator.channel('ops'))?.disabled, true);
    await operator.put('ops', ChannelKind.SLACK, target, { eventTypes, slackUsers });
    admin.close();
  });

  it('wait while Slack asks for a pause or has trouble, and are posted then', async () => {
    slack.troubles.push(
      { status: 429, headers: { 'retry-after': '1' }, body: '' },
      { status: 200, body: '{"ok":false,"error":"internal_error"}' },
      { status: 503, body: '<html>' },
      { status: 200, body: '{"ok":tr' },
    );
    const wish = {
      account: device.account('alice'),
      duration: { seconds: 60n, nanos: 0 },
      reason: 'trouble',
      options: undefined,
      ticket: '',
      breakGlass: false,
      resource: '',
      resourceAccount: '',
    };
    const isOfIt = ({ blocks }: PostedMessage): boolean => JSON.stringify(blocks).includes('reason: trouble');
    device.link.createAccessRequest(wish, () => undefined);
    await eventually(
      async () => {
        await operator.retry('ops');
        return slack.messages.some(isOfIt) && slack.troubles.length === 0;
      },
      { ...SOON, everyMs: 200 },
    );
    assert.equal(slack.messages.filter(isOfIt).length, 1);
  });

  it('show hostile text as text', async () => {
    const reason = '<!channel> <@U0OLGA> <https://evil.example|click> *bold* _x_ ~y~ `z` :rocket: & "q" ]';
    const { message } = await ask('alice', reason);
    assert.doesNotMatch(message.text, /<[!@#h]/);
    const texts = message.blocks.flatMap(({ text, fields = [] }) => [...(text === undefined ? [] : [text]), ...fields]);
    assert.ok(texts.every(({ type, emoji }) => type === 'plain_text' && emoji === false));
    assert.ok(texts.some(({ text }) => text === `reason: ${reason}`));
  });
});
