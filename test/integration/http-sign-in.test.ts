import { SystemClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { HttpClient, LinesReader, OWN_PAGE } from '../support/http-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

const PASSWORD = 'correct horse battery';

describe('signing in to the console over real HTTP', function () {
  this.timeout(60_000);
  let server: TestServer;
  let owner: HttpClient;

  before(async () => {
    server = await startTestServer();
    owner = new HttpClient(server.consoleUrl);
  });
  after(() => server.close());

  const events = (): Promise<string[]> =>
    server.running.ledger.read(async (db) =>
      (await db.selectFrom('audit_event').select('type').orderBy('idx').execute()).map(({ type }) => type),
    );

  it("the first owner's password lets them do nothing but change it", async () => {
    assert.deepEqual((await owner.send('/auth/state')).json, {
      signedIn: false,
      methods: { password: true, oidc: null },
    });
    const state = await owner.signIn('owner', server.ownerPassword);
    assert.equal(state.status, 200, state.text);
    assert.equal(state.json?.['mustChangePassword'], true);
    for (const method of ['UserService/GetMe', 'SessionService/ListSessions', 'SignInService/BeginTotp']) {
      const refused = await owner.call(method);
      assert.deepEqual([refused.status, refused.json?.['code']], [403, 'PASSWORD_CHANGE_REQUIRED'], method);
    }
    const weak = { currentPassword: server.ownerPassword, newPassword: 'passwordpassword' };
    assert.equal(
      (await owner.call('SignInService/ChangePassword', { ...weak, newPassword: 'Password1234' })).json?.['code'],
      'PASSWORD_TOO_WEAK',
    );
    const wrong = await owner.call('SignInService/ChangePassword', {
      ...weak,
      currentPassword: 'x',
      newPassword: PASSWORD,
    });
    assert.equal(wrong.json?.['code'], 'PASSWORD_WRONG');
    assert.ok(!(await events()).includes('password.changed'));
    const changed = await owner.call('SignInService/ChangePassword', {
      currentPassword: server.ownerPassword,
      newPassword: PASSWORD,
    });
    assert.deepEqual([changed.status, changed.text], [200, '{}']);
    const me = await owner.call('UserService/GetMe');
    assert.equal((me.json?.['user'] as { hasPassword: boolean }).hasPassword, true);
    assert.equal(me.json?.['role'], 'ROLE_OWNER');
    assert.equal(
      (await new HttpClient(server.consoleUrl).signIn('owner', server.ownerPassword)).json?.['code'],
      'SIGN_IN_FAILED',
    );
  });

  it('a stream of JSON lines begins at once, carries changes, and ends with the sign-in', async () => {
    const reader = new LinesReader(
      await owner.open('/api/curfew.admin.v1.SessionService/WatchSessions', {
        method: 'POST',
        headers: { ...OWN_PAGE, origin: owner.origin },
        body: '{}',
      }),
    );
    assert.equal(reader.response.headers['content-type'], 'application/jsonl');
    await eventually(() => reader.messages.some(({ synced }) => synced === true), { withinMs: 10_000, what: 'synced' });
    const out = await owner.post('/auth/logout', {});
    assert.equal(out.status, 204, out.text);
    await eventually(() => reader.ended, { withinMs: 10_000, what: 'the end of the stream' });
    assert.equal((reader.messages.at(-1)?.['error'] as { code: string }).code, 'NOT_SIGNED_IN');
    assert.equal((await owner.send('/auth/state')).json?.['signedIn'], false);
  });

  it('one-time codes are turned on, asked for, and count once; a fresh proof takes them too', async () => {
    await owner.signIn('owner', PASSWORD);
    const begun = (await owner.call('SignInService/BeginTotp')).json as { secret: string };
    const step = (): number => totpStepNow();
    const codeOf = (at: number): string => totp(begun.secret, at);
    const wrong = await owner.call('SignInService/ConfirmTotp', { code: '12345' });
    assert.deepEqual([wrong.status, wrong.json?.['field']], [400, 'code']);
    const turnedOn = await owner.call('SignInService/ConfirmTotp', { code: codeOf(step()) });
    assert.equal((turnedOn.json?.['recoveryCodes'] as string[]).length, 10, turnedOn.text);

    const other = new HttpClient(server.consoleUrl);
    const asked = await other.signIn('owner', PASSWORD);
    assert.deepEqual([asked.status, asked.json?.['code']], [401, 'TOTP_CODE_REQUIRED']);
    assert.equal(other.cookies.size, 0);
    const code = codeOf(step() + 1);
    const state = await other.signIn('owner', PASSWORD, code);
    assert.deepEqual([state.status, state.json?.['totpEnabled']], [200, true], state.text);
    assert.equal(
      (await new HttpClient(server.consoleUrl).signIn('owner', PASSWORD, code)).json?.['code'],
      'SIGN_IN_FAILED',
    );

    const fresh = await other.post('/auth/fresh', {
      password: PASSWORD,
      code: (turnedOn.json?.['recoveryCodes'] as string[])[0],
    });
    assert.equal(fresh.status, 200, fresh.text);
    assert.ok(Date.parse(String(fresh.json?.['freshUntil'])) >= Date.parse(String(state.json?.['freshUntil'])));
    assert.equal((await other.post('/auth/fresh', { password: 'x', code: '123456' })).json?.['code'], 'PASSWORD_WRONG');
    assert.equal((await other.call('SignInService/RemoveTotp', { password: PASSWORD })).status, 200);
    assert.equal((await owner.signIn('owner', PASSWORD)).json?.['totpEnabled'], false);
  });

  it('speaks proto-JSON: whole enum names, times, durations, big numbers as texts', async () => {
    const made = await owner.call('UserService/CreateUser', {
      name: 'carol',
      display_name: 'Carol',
      role: 'ROLE_VIEWER',
    });
    const { user } = made.json as { user: Record<string, unknown> };
    assert.deepEqual([user['displayName'], user['role']], ['Carol', 'ROLE_VIEWER']);
    assert.match(String(user['createTime']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const token = await owner.call('UserService/CreateApiToken', { user: 'carol', label: 'x', ttl: '60s' });
    assert.match(String(token.json?.['secret']), /^cft1\./);
    const info = await owner.call('ServerService/GetServerInfo');
    assert.equal(info.json?.['incarnation'], '1');
    const missing = await owner.call('UserService/GetUser', { user: 'nobody' });
    assert.deepEqual([missing.status, missing.json?.['code']], [404, 'USER_NOT_FOUND']);
    const taken = await owner.call('UserService/CreateUser', { name: 'CAROL', role: 'ROLE_USER' });
    assert.deepEqual([taken.status, taken.json?.['code']], [409, 'USER_NAME_TAKEN']);
    for (const path of [
      '/api/curfew.admin.v1.UserService/Nothing',
      '/api/x',
      '/api/curfew.local.v1.LocalService/GetStatus',
    ])
      assert.deepEqual((await owner.post(path, {})).json?.['code'], 'PAGE_NOT_FOUND', path);
    assert.equal(
      (await owner.post('/api/curfew.agent.v1.LinkService/Connect', {})).json?.['code'],
      'DEVICE_CERTIFICATE_REQUIRED',
    );
  });

  it('a reader that goes away leaves nothing open, however many there were', async () => {
    const { json } = await owner.call('UserService/CreateApiToken', { label: 'streams', ttl: '60s' });
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${String(json?.['secret'])}` };
    const path = '/api/curfew.admin.v1.UserService/GetMe';
    const watch = '/api/curfew.admin.v1.SessionService/WatchSessions';
    const open = () => new HttpClient(server.consoleUrl).open(watch, { method: 'POST', headers, body: '{}' });
    const readers = await Promise.all(Array.from({ length: 32 }, open));
    const tooMany = await new HttpClient(server.consoleUrl).send(watch, { method: 'POST', headers, body: '{}' });
    assert.deepEqual([tooMany.status, tooMany.json?.['code']], [429, 'TOO_MANY_CALLS']);
    for (const reader of readers) reader.destroy();
    await eventually(
      async () => {
        const reader = await open();
        reader.destroy();
        return reader.statusCode === 200;
      },
      { withinMs: 10_000, what: 'room for another stream' },
    );
    assert.equal(
      (await new HttpClient(server.consoleUrl).send(path, { method: 'POST', headers, body: '{}' })).status,
      200,
    );
  });
});

const totpStepNow = (): number => Math.floor(new SystemClock().now() / 30_000);

/** The code of an authenticator app (RFC 6238). */
function totp(base32: string, step: number): string {
  const bits = Array.from(base32, (letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  );
  const bytes = bits.join('').match(/.{8}/g) ?? [];
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2))))
    .update(counter)
    .digest();
  const number = mac.readUInt32BE((mac.at(-1) ?? 0) & 15) & 0x7fff_ffff;
  return String(number % 1_000_000).padStart(6, '0');
}
