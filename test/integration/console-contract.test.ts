import assert from 'node:assert/strict';
import { ApiSubject } from '../support/api-subject.js';
import { HttpClient } from '../support/http-client.js';
import { eventually } from '../support/wait.js';

interface Session {
  readonly id: string;
  readonly state: string;
  readonly kind: string;
  readonly userName: string;
  readonly deviceId: string;
  readonly deviceName: string;
  readonly duration: string;
  readonly createTime: string;
  readonly expireTime: string;
  readonly revision: string;
  readonly endReason?: string;
  readonly endedBy?: string;
  readonly endDetail?: string;
}
interface Request {
  readonly id: string;
  readonly state: string;
  readonly canDecide?: boolean;
  readonly decidedBy?: string;
  readonly duration: string;
}

const WITHIN = { withinMs: 20_000 };
const GRANT = { user: 'dave', device: 'web-1', duration: '600s', reason: 'mend it' };
const ASK = { device: 'web-1', duration: '1800s', reason: 'mend it' };

/** What the console relies on. The same cases hold the fake API, in which it is developed, against the server. */
function cases(start: () => Promise<ApiSubject>): void {
  let api: ApiSubject;
  before(async () => {
    api = await start();
  });
  after(() => api.close());
  afterEach(async () => {
    await api.send('owner', 'SessionService/RevokeSessions', { everything: true, reason: 'clean' });
    await eventually(async () => (await list()).length === 0, WITHIN);
  });

  const list = async (filter: object = {}): Promise<Session[]> =>
    (await api.call<{ sessions?: Session[] }>('vera', 'SessionService/ListSessions', { filter })).sessions ?? [];
  const get = async (sessionId: string): Promise<Session> =>
    (await api.call<{ session: Session }>('vera', 'SessionService/GetSession', { sessionId })).session;
  const grant = async (): Promise<Session> =>
    (await api.call<{ session: Session }>('owner', 'SessionService/GrantSession', GRANT)).session;
  const ask = async (): Promise<Request> =>
    (await api.call<{ request: Request }>('dave', 'AccessService/CreateMyRequest', ASK)).request;
  const reaches = (id: string, state: string): Promise<true> =>
    eventually<boolean>(async () => (await get(id)).state === `SESSION_STATE_${state}`, WITHIN);

  it('a session that is given starts, and is active when its device says so', async () => {
    const session = await grant();
    assert.equal(session.state, 'SESSION_STATE_STARTING');
    assert.equal(session.kind, 'SESSION_KIND_DEVICE_ADMIN');
    assert.deepEqual([session.userName, session.deviceName, session.duration], ['dave', 'web-1', '600s']);
    assert.equal(Date.parse(session.expireTime) - Date.parse(session.createTime), 600_000);
    await reaches(session.id, 'ACTIVE');
    assert.ok(Number((await get(session.id)).revision) > Number(session.revision));
    await api.refuses('owner', 'SessionService/GrantSession', GRANT, 'SESSION_ALREADY_LIVE');
  });

  it('what is wrong with a grant is said with its field, and nothing is given', async () => {
    const grants = (change: object, code: string, field?: string): Promise<void> =>
      api.refuses('owner', 'SessionService/GrantSession', { ...GRANT, ...change }, code, field);
    await grants({ reason: '' }, 'FIELD_INVALID', 'reason');
    await grants({ reason: 'x'.repeat(501) }, 'FIELD_INVALID', 'reason');
    await grants({ duration: '0s' }, 'FIELD_INVALID', 'duration');
    await grants({ duration: '2592000s' }, 'DURATION_TOO_LONG');
    await grants({ user: 'nobody-here' }, 'USER_NOT_FOUND');
    await grants({ device: 'no-such-device' }, 'DEVICE_NOT_FOUND');
    await grants({ account: 'no-such-account' }, 'ACCOUNT_NOT_FOUND');
    assert.deepEqual(await list(), []);
  });

  it('sessions are found by what is filtered, and only by that', async () => {
    const { id } = await grant();
    for (const filter of [
      { kind: 'SESSION_KIND_DEVICE_ADMIN' },
      { user: 'dave' },
      { device: 'web-1' },
      { text: 'MEND' },
      { platform: 'PLATFORM_LINUX' },
      { endingWithin: '700s' },
      { states: ['SESSION_STATE_STARTING', 'SESSION_STATE_ACTIVE'] },
    ])
      assert.deepEqual(
        (await list(filter)).map((session) => session.id),
        [id],
        JSON.stringify(filter),
      );
    for (const filter of [
      { kind: 'SESSION_KIND_TIMED_ACCESS' },
      { user: 'vera' },
      { text: 'nothing like it' },
      { platform: 'PLATFORM_WINDOWS' },
      { endingWithin: '60s' },
      { states: ['SESSION_STATE_ENDED'], user: 'vera' },
    ])
      assert.deepEqual(await list(filter), [], JSON.stringify(filter));
  });

  it('pages say how many there are, and refuse orders, tokens and sizes that they do not know', async () => {
    await grant();
    const page = await api.call('vera', 'SessionService/ListSessions', { pageSize: 1, orderBy: 'user_name desc' });
    assert.equal(page['totalSize'], 1);
    assert.equal(page['nextPageToken'] ?? '', '');
    const refuses = (body: Record<string, unknown>, code: string, field?: string): Promise<void> =>
      api.refuses('vera', 'SessionService/ListSessions', body, code, field);
    await refuses({ orderBy: 'drop table' }, 'ORDER_BY_INVALID');
    await refuses({ pageToken: 'made up' }, 'PAGE_TOKEN_INVALID');
    await refuses({ pageSize: 5_000 }, 'FIELD_INVALID', 'page_size');
  });

  it('a session is lengthened while it is live, within the limit', async () => {
    const { id, expireTime } = await grant();
    await reaches(id, 'ACTIVE');
    const { session } = await api.call<{ session: Session }>('olaf', 'SessionService/ExtendSession', {
      sessionId: id,
      by: '300s',
    });
    assert.equal(Date.parse(session.expireTime) - Date.parse(expireTime), 300_000);
    assert.equal(session.duration, '900s');
    await api.refuses('olaf', 'SessionService/ExtendSession', { sessionId: id, by: '2592000s' }, 'DURATION_TOO_LONG');
    await api.call('olaf', 'SessionService/RevokeSessions', { sessions: { ids: [id] }, reason: 'over' });
    await api.refuses('olaf', 'SessionService/ExtendSession', { sessionId: id, by: '300s' }, 'SESSION_NOT_LIVE');
  });

  it('a revoke is durable at once and confirmed by the device; a second one changes nothing', async () => {
    const { id } = await grant();
    await reaches(id, 'ACTIVE');
    const revoke = { sessions: { ids: [id] }, reason: 'it is done' };
    const { results } = await api.call<{ results: { session: Session; outcome: string; acceptedTime: string }[] }>(
      'olaf',
      'SessionService/RevokeSessions',
      revoke,
    );
    assert.match(results[0]?.outcome ?? '', /^REVOKE_OUTCOME_(ACCEPTED|EFFECTIVE)$/);
    assert.ok(Date.parse(results[0]?.acceptedTime ?? '') > 0);
    await reaches(id, 'ENDED');
    const ended = await get(id);
    assert.deepEqual([ended.endReason, ended.endedBy, ended.endDetail], ['END_REASON_REVOKED', 'olaf', 'it is done']);
    const again = await api.call<{ results: { outcome: string }[] }>('olaf', 'SessionService/RevokeSessions', {
      ...revoke,
      reason: 'again',
    });
    assert.equal(again.results[0]?.outcome, 'REVOKE_OUTCOME_EFFECTIVE');
    assert.equal((await get(id)).endDetail, 'it is done');
    await api.refuses('olaf', 'SessionService/RevokeSessions', { ...revoke, reason: '' }, 'FIELD_INVALID', 'reason');
    await api.refuses(
      'olaf',
      'SessionService/RevokeSessions',
      { sessions: { ids: ['ses-00000000000000000000'] }, reason: 'x' },
      'SESSION_NOT_FOUND',
    );
  });

  it('those who may not are refused, and nothing happens', async () => {
    const { id } = await grant();
    const revoke = { sessions: { ids: [id] }, reason: 'x' };
    await api.refuses('vera', 'SessionService/RevokeSessions', revoke, 'METHOD_NOT_ALLOWED');
    await api.refuses('dave', 'SessionService/ListSessions', {}, 'METHOD_NOT_ALLOWED');
    await api.refuses('olaf', 'SessionService/GrantSession', GRANT, 'METHOD_NOT_ALLOWED');
    await api.refuses('nobody', 'SessionService/ListSessions', {}, 'NOT_SIGNED_IN');
    assert.equal((await list()).length, 1);
    assert.doesNotMatch((await get(id)).state, /END/);
  });

  it('a request is decided by another, started by its person and ended early', async () => {
    const { id, state } = await ask();
    assert.equal(state, 'ACCESS_REQUEST_STATE_PENDING');
    await api.refuses('dave', 'AccessService/CreateMyRequest', ASK, 'REQUEST_ALREADY_OPEN');
    await api.refuses('dave', 'AccessService/StartMySession', { requestId: id }, 'REQUEST_NOT_APPROVED');
    const inbox = await api.call<{ requests: Request[] }>('olaf', 'RequestService/ListAccessRequests', {
      filter: { canDecide: true },
    });
    assert.deepEqual(
      inbox.requests.map((request) => request.id),
      [id],
    );
    await api.refuses(
      'olaf',
      'RequestService/ApproveAccessRequest',
      { requestId: id, duration: '3600s' },
      'DURATION_TOO_LONG',
    );
    await api.refuses(
      'olaf',
      'RequestService/DenyAccessRequest',
      { requestId: id, reason: '' },
      'FIELD_INVALID',
      'reason',
    );
    const { request } = await api.call<{ request: Request }>('olaf', 'RequestService/ApproveAccessRequest', {
      requestId: id,
      duration: '900s',
    });
    assert.deepEqual(
      [request.state, request.decidedBy, request.duration],
      ['ACCESS_REQUEST_STATE_APPROVED', 'olaf', '900s'],
    );
    await api.refuses('olaf', 'RequestService/ApproveAccessRequest', { requestId: id }, 'REQUEST_NOT_PENDING');
    const { session } = await api.call<{ session: Session }>('dave', 'AccessService/StartMySession', { requestId: id });
    assert.equal(session.duration, '900s');
    await reaches(session.id, 'ACTIVE');
    await api.call('dave', 'AccessService/EndMySession', { sessionId: session.id });
    await reaches(session.id, 'ENDED');
    assert.equal((await get(session.id)).endReason, 'END_REASON_ENDED_BY_USER');
  });

  it('a request is denied with a reason, or withdrawn by its person', async () => {
    const denied = await ask();
    await api.call('olaf', 'RequestService/DenyAccessRequest', { requestId: denied.id, reason: 'not today' });
    await api.refuses('dave', 'AccessService/CancelMyRequest', { requestId: denied.id }, 'REQUEST_NOT_OPEN');
    const { request } = await api.call<{ request: Request }>('dave', 'AccessService/CancelMyRequest', {
      requestId: (await ask()).id,
    });
    assert.equal(request.state, 'ACCESS_REQUEST_STATE_CANCELLED');
    await api.refuses('olaf', 'RequestService/ApproveAccessRequest', { requestId: request.id }, 'REQUEST_NOT_PENDING');
  });

  /** Follows the changes alone that a method tells of. */
  async function follow<M extends object>(method: string): Promise<{ messages: () => M[]; stop: () => void }> {
    const watcher = new HttpClient(api.origin);
    await watcher.signIn('owner', api.ownerPassword);
    const stream = await watcher.open(`/api/curfew.admin.v1.${method}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-curfew': 'console',
        'sec-fetch-site': 'same-origin',
        origin: api.origin,
      },
      body: JSON.stringify({ changesOnly: true }),
    });
    assert.equal(stream.headers['content-type'], 'application/jsonl');
    let text = '';
    stream.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    const messages = (): M[] =>
      text
        .split('\n')
        .slice(0, -1)
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as M);
    await eventually(() => messages().length > 0, WITHIN);
    assert.deepEqual(messages()[0], { synced: true });
    return { messages, stop: () => stream.destroy() };
  }

  it('a watch of changes begins with the mark, and tells each change', async () => {
    const { messages, stop } = await follow<{ session?: Session }>('SessionService/WatchSessions');
    const { id } = await grant();
    const tells = (state: string): Promise<true> =>
      eventually<boolean>(
        () => messages().some(({ session }) => session?.id === id && session.state === `SESSION_STATE_${state}`),
        WITHIN,
      );
    await tells('ACTIVE');
    await api.call('olaf', 'SessionService/RevokeSessions', { sessions: { ids: [id] }, reason: 'over' });
    await tells('ENDED');
    stop();
  });

  it('a watch of devices begins with the mark, and tells of labels and of sessions', async () => {
    interface Device {
      readonly id: string;
      readonly liveSessions?: number;
      readonly labels?: object;
    }
    const { messages, stop } = await follow<{ device?: Device }>('DeviceService/WatchDevices');
    const { id, deviceId } = await grant();
    const last = (): Device | undefined =>
      messages()
        .map(({ device }) => device)
        .filter((device) => device?.id === deviceId)
        .at(-1);
    await eventually(() => (last()?.liveSessions ?? 0) > 0, WITHIN);
    const live = last()?.liveSessions ?? 0;
    await api.call('olaf', 'SessionService/RevokeSessions', { sessions: { ids: [id] }, reason: 'over' });
    await eventually(() => (last()?.liveSessions ?? 0) === live - 1, WITHIN);
    await api.call('owner', 'DeviceService/UpdateDevice', { device: deviceId, labels: { watched: 'yes' } });
    await eventually(() => JSON.stringify(last()?.labels) === '{"watched":"yes"}', WITHIN);
    stop();
  });

  it('users and join tokens are checked field by field', async () => {
    await api.refuses('owner', 'UserService/CreateUser', { name: 'vera', role: 'ROLE_USER' }, 'USER_NAME_TAKEN');
    await api.refuses('owner', 'UserService/CreateUser', { name: 'a b', role: 'ROLE_USER' }, 'FIELD_INVALID', 'name');
    await api.refuses('owner', 'UserService/UpdateUser', { user: 'owner', role: 'ROLE_USER' }, 'LAST_OWNER');
    await api.refuses('owner', 'DeviceService/CreateJoinToken', { uses: 10_001 }, 'FIELD_INVALID', 'uses');
    await api.refuses('vera', 'DeviceService/CreateJoinToken', {}, 'METHOD_NOT_ALLOWED');
  });

  it('signing in says the same to the wrong name and to the wrong password, and takes only calls of its own page', async () => {
    const client = new HttpClient(api.origin);
    const state = await client.send('/auth/state');
    assert.equal(state.json?.['signedIn'], false);
    assert.ok(state.json['methods']);
    const [one, two] = [
      await client.signIn('nobody-here', 'wrong password'),
      await client.signIn('owner', 'wrong password'),
    ];
    assert.deepEqual([one.status, one.json?.['code']], [401, 'SIGN_IN_FAILED']);
    assert.deepEqual([two.status, two.json], [one.status, one.json]);
    const signedIn = await client.signIn('owner', api.ownerPassword);
    assert.equal(signedIn.json?.['signedIn'], true);
    assert.equal((signedIn.json['user'] as { role?: string }).role, 'owner');
    const foreign = await client.send('/api/curfew.admin.v1.UserService/GetMe', { method: 'POST', body: '{}' });
    assert.deepEqual([foreign.status, foreign.json?.['code']], [403, 'CROSS_SITE']);
    assert.equal((await client.call('UserService/GetMe')).status, 200);
    assert.equal((await client.post('/auth/logout', {})).status, 204);
    assert.equal((await client.call('UserService/GetMe')).json?.['code'], 'NOT_SIGNED_IN');
  });

  it('a command line is shown to who is signed in, however its code is typed, until somebody has decided', async () => {
    const asked = await new HttpClient(api.origin).post('/auth/device/code', { client: 'curfewctl on web-9' });
    const userCode = String(asked.json?.['userCode']);
    const person = new HttpClient(api.origin);
    const refuses = async (call: string, body: object, status: number, code: string): Promise<void> => {
      const answer = await person.post(`/auth/device/${call}`, body);
      assert.deepEqual([answer.status, answer.json?.['code']], [status, code], answer.text);
    };
    await refuses('show', { userCode }, 401, 'NOT_SIGNED_IN');
    await person.signIn('owner', api.ownerPassword);
    await refuses('show', { userCode: 'BBBB-BBBB' }, 404, 'AUTHORIZATION_EXPIRED');
    await refuses('approve', { userCode: 'BBBB-BBBB', approve: true }, 404, 'AUTHORIZATION_EXPIRED');
    for (const typed of [userCode, userCode.toLowerCase().replace('-', ' ')]) {
      const { status, json, text } = await person.post('/auth/device/show', { userCode: typed });
      assert.deepEqual([status, json?.['client'], json?.['address']], [200, 'curfewctl on web-9', '127.0.0.1'], text);
      assert.ok(Date.parse(String(json?.['createTime'])) > 0, text);
    }
    assert.equal((await person.post('/auth/device/approve', { userCode, approve: false })).status, 204);
    await refuses('show', { userCode }, 404, 'AUTHORIZATION_EXPIRED');
    await refuses('approve', { userCode, approve: true }, 404, 'AUTHORIZATION_EXPIRED');
  });
}

describe('what the console relies on', function () {
  this.timeout(60_000);
  describe('of the fake API', () => cases(() => ApiSubject.fake()));
  describe('of the server', () => cases(() => ApiSubject.real()));
});
