import { durationMs, SECOND } from '@curfew/shared';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { HttpClient, LinesReader, OWN_PAGE, type HttpWish } from '../support/http-client.js';
import { MovableClock } from '../support/movable-clock.js';
import { rawHttp, statuses } from '../support/raw-http.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

const PASSWORD = 'correct horse battery';
const CREATE = '/api/curfew.admin.v1.UserService/CreateUser';
const VICTIM = JSON.stringify({ name: 'mallory', role: 'ROLE_OWNER' });

describe('attacks on the console over HTTP', function () {
  this.timeout(60_000);
  let server: TestServer;
  let owner: HttpClient;

  before(async () => {
    server = await startTestServer({ CURFEW_LIMITS_UNKNOWN_CALLS_PER_MINUTE: '100000' });
    owner = new HttpClient(server.consoleUrl);
    await owner.signIn('owner', server.ownerPassword);
    const change = { currentPassword: server.ownerPassword, newPassword: PASSWORD };
    assert.equal((await owner.call('SignInService/ChangePassword', change)).status, 200);
  });
  after(() => server.close());

  const audit = (): Promise<number> =>
    server.running.ledger.read(async (db) => (await db.selectFrom('audit_event').select('idx').execute()).length);
  const users = (): Promise<number> =>
    server.running.ledger.read(async (db) => (await db.selectFrom('app_user').select('id').execute()).length);

  /** Does something that must be refused with the code, and must change nothing. */
  async function refused(code: string, status: number, path: string, wish: HttpWish, client = owner): Promise<void> {
    const before = [await audit(), await users()];
    const answer = await client.send(path, wish);
    assert.deepEqual(
      [answer.status, answer.json?.['code']],
      [status, code],
      `${path} ${JSON.stringify(wish)} ${answer.text}`,
    );
    assert.deepEqual([await audit(), await users()], before);
  }

  describe('from another site (CSRF)', () => {
    const own = () => ({ ...OWN_PAGE, origin: server.consoleUrl });
    for (const { name, headers } of [
      {
        name: 'a form',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
      },
      { name: 'JSON as text/plain', headers: { ...OWN_PAGE, 'content-type': 'text/plain' } },
      { name: 'another origin', headers: { ...OWN_PAGE, origin: 'https://evil.example' } },
      { name: 'the null origin of a sandbox', headers: { ...OWN_PAGE, origin: 'null' } },
      { name: 'another port of this host', headers: { ...OWN_PAGE, origin: 'http://127.0.0.1:1' } },
      { name: 'a site that says so', headers: { ...OWN_PAGE, 'sec-fetch-site': 'cross-site' } },
      { name: 'a sister of this host', headers: { ...OWN_PAGE, 'sec-fetch-site': 'same-site' } },
      { name: 'a link that was typed', headers: { ...OWN_PAGE, 'sec-fetch-site': 'none' } },
      {
        name: 'a page without our header',
        headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' },
      },
      { name: 'nobody says where', headers: { 'content-type': 'application/json', 'x-curfew': 'console' } },
    ])
      it(`is refused: ${name}`, async () => {
        for (const path of [CREATE, '/auth/logout', '/auth/fresh', '/auth/device/approve'])
          await refused('CROSS_SITE', 403, path, { method: 'POST', headers, body: VICTIM });
      });

    it('signs nobody in (login CSRF)', async () => {
      const body = JSON.stringify({ name: 'owner', password: PASSWORD });
      const victim = new HttpClient(server.consoleUrl);
      for (const headers of [
        { ...own(), origin: 'https://evil.example' },
        { ...own(), 'sec-fetch-site': 'cross-site' },
        { ...own(), 'x-curfew': '' },
        { ...own(), 'content-type': 'text/plain' },
      ]) {
        await refused('CROSS_SITE', 403, '/auth/login', { method: 'POST', headers, body }, victim);
        assert.equal(victim.cookies.size, 0);
      }
    });

    it('nothing but POST changes anything, and no header makes one method another', async () => {
      for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']) {
        const before = [await audit(), await users()];
        const answer = await owner.send(CREATE, {
          method,
          headers: { ...own(), 'x-http-method-override': 'POST' },
          ...(['GET', 'HEAD', 'TRACE'].includes(method) ? {} : { body: VICTIM }),
        });
        assert.ok([400, 404, 405].includes(answer.status), `${method}: ${answer.status}`);
        assert.equal(answer.headers['access-control-allow-origin'], undefined);
        assert.deepEqual([await audit(), await users()], before, method);
      }
    });

    it('the same call from the own page is let in', async () => {
      const answer = await owner.send('/api/curfew.admin.v1.UserService/GetMe', {
        method: 'POST',
        headers: own(),
        body: '{}',
      });
      assert.equal(answer.status, 200, answer.text);
    });
  });

  describe('by another name (DNS rebinding)', () => {
    const port = (): string => new URL(server.consoleUrl).port;
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '192.0.2.1',
      '[::2]',
      'a@localhost',
      'localhost:x',
      '',
    ])
      it(`is refused: '${host}'`, async () => {
        const text = await rawHttp(
          Number(port()),
          `POST ${CREATE} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${server.ownerToken}\r\n` +
            `Content-Type: application/json\r\nContent-Length: ${VICTIM.length}\r\nConnection: close\r\n\r\n${VICTIM}`,
        );
        assert.deepEqual(statuses(text), [403], text);
        assert.match(text, /HOST_NOT_ALLOWED/);
        assert.equal(
          (await server.running.ledger.read((db) => db.selectFrom('app_user').selectAll().execute())).length,
          1,
        );
      });

    it('names of loopback are let in', async () => {
      for (const host of [`localhost:${port()}`, `127.0.0.1:${port()}`, `[::1]:${port()}`, 'LOCALHOST.'])
        assert.equal((await owner.send('/healthz', { headers: { host } })).status, 200, host);
    });
  });

  describe('in a frame, or with a script of its own', () => {
    for (const path of ['/', '/sessions', '/auth/state', '/healthz', '/nothing.js', '/api/x'])
      it(`is not possible on ${path}`, async () => {
        const { headers } = await owner.send(path);
        const policy = String(headers['content-security-policy']);
        // The console's pages compile WebAssembly, which lets no text become a script; nothing else may do even that.
        const scripts = /^\/(sessions)?$/.test(path) ? "'self' 'wasm-unsafe-eval'" : "'self'";
        assert.match(policy, /^default-src 'none'; script-src .*frame-ancestors 'none'$/);
        assert.match(policy, new RegExp(`; script-src ${scripts};`));
        assert.ok(!policy.replace("'wasm-unsafe-eval'", '').includes('unsafe'));
        assert.equal(headers['x-frame-options'], 'DENY');
        assert.equal(headers['x-content-type-options'], 'nosniff');
        assert.equal(headers['referrer-policy'], 'no-referrer');
        assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
        if (/^\/(api|auth)/.test(path)) assert.equal(headers['cache-control'], 'no-store');
      });

    it('no path leads out of the folder of the console', async () => {
      for (const path of [
        '/assets/../../package.json',
        '/..%2f..%2fpackage.json',
        '/assets/%2e%2e/%2e%2e/package.json',
        '//etc/passwd',
        '/assets/..\\..\\package.json',
      ])
        assert.match(
          await rawHttp(
            server.running.httpPort,
            `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
          ),
          /^HTTP\/1\.1 (400|404)/,
          path,
        );
    });
  });

  describe('with a request that two readers take two ways (smuggling)', () => {
    const head = (more: string): string =>
      `POST /auth/logout HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${more}\r\n`;
    const second = `POST ${CREATE} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n`;
    for (const { name, bytes } of [
      {
        name: 'both lengths',
        bytes: `${head('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n')}0\r\n\r\n${second}`,
      },
      { name: 'two lengths', bytes: `${head('Content-Length: 0\r\nContent-Length: 5\r\n')}${second}` },
      { name: 'a length with a sign', bytes: `${head('Content-Length: +5\r\n')}${second}` },
      { name: 'an encoding that hides', bytes: `${head('Transfer-Encoding: xchunked\r\n')}${second}` },
      { name: 'a space before the colon', bytes: `${head('Content-Length : 5\r\n')}${second}` },
      { name: 'a folded header', bytes: `${head('X-A: b\r\n c\r\nTransfer-Encoding: chunked\r\n x\r\n')}${second}` },
      { name: 'a bare line feed', bytes: `POST / HTTP/1.1\nHost: localhost\n\n${second}` },
      {
        name: 'two hosts',
        bytes: `GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`,
      },
      {
        name: 'a chunk with a wrong size',
        bytes: `${head('Transfer-Encoding: chunked\r\n')}5;\n\r\nabc\r\n0\r\n\r\n${second}`,
      },
    ])
      it(`gets one refusal and the end of the connection: ${name}`, async () => {
        const before = await audit();
        const text = await rawHttp(server.running.httpPort, bytes);
        const [first, ...more] = statuses(text);
        assert.ok(first !== undefined && first >= 400 && more.length === 0, text);
        assert.equal(await audit(), before);
      });

    it('a request without a host is refused', async () => {
      assert.deepEqual(statuses(await rawHttp(server.running.httpPort, 'GET / HTTP/1.1\r\n\r\n')), [400]);
    });

    it('nobody switches to another protocol', async () => {
      const wish = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n';
      assert.equal(await rawHttp(server.running.httpPort, wish), '');
    });
  });

  describe('with a body that is not one', () => {
    const bearer = (): object => ({ authorization: `Bearer ${server.ownerToken}`, 'content-type': 'application/json' });
    const post = (body: string | Buffer, more: object = {}): HttpWish => ({
      method: 'POST',
      headers: { ...bearer(), ...more },
      body,
    });

    it('is too long: refused before it is read', async () => {
      const text = await rawHttp(
        server.running.httpPort,
        `POST ${CREATE} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${server.ownerToken}\r\n` +
          `Content-Type: application/json\r\nContent-Length: 1048577\r\n\r\n`,
      );
      assert.deepEqual(statuses(text), [413]);
      assert.match(text, /HTTP_INVALID/);
    });

    it('is too long and does not say so: cut at 1 MB', async () => {
      const before = await audit();
      const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
      const text = await rawHttp(
        server.running.httpPort,
        `POST ${CREATE} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${server.ownerToken}\r\n` +
          `Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(17)}`,
      );
      assert.deepEqual(statuses(text), [413]);
      assert.equal(await audit(), before);
    });

    for (const { name, body, more = {}, status = 400, code = 'FIELD_INVALID' } of [
      { name: 'no JSON', body: '{"name":' },
      { name: 'an array', body: '[]' },
      { name: 'null', body: 'null' },
      { name: 'an unknown field', body: '{"name":"mallory","role":"ROLE_USER","disabled":false}' },
      { name: 'a prototype', body: '{"name":"mallory","role":"ROLE_USER","__proto__":{"role":"ROLE_OWNER"}}' },
      { name: 'a constructor', body: '{"constructor":{"prototype":{}},"name":"mallory","role":"ROLE_USER"}' },
      { name: 'a field twice', body: '{"name":"a","name":"mallory","role":"ROLE_USER"}' },
      {
        name: 'a field in both spellings',
        body: '{"display_name":"a","displayName":"b","name":"mallory","role":"ROLE_USER"}',
      },
      { name: 'a number for a text', body: '{"name":5,"role":"ROLE_USER"}' },
      { name: 'no role that exists', body: '{"name":"mallory","role":"ROLE_ROOT"}' },
      { name: 'a role by a wrong number', body: '{"name":"mallory","role":99}' },
      { name: 'nothing in it', body: '{}' },
      { name: 'depth', body: `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}` },
      { name: 'no UTF-8', body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), code: 'HTTP_INVALID' },
      { name: 'packed bytes', body: '{}', more: { 'content-encoding': 'gzip' }, status: 415, code: 'HTTP_INVALID' },
      {
        name: 'a form',
        body: 'name=mallory',
        more: { 'content-type': 'application/x-www-form-urlencoded' },
        status: 415,
        code: 'HTTP_INVALID',
      },
      {
        name: 'JSON in another charset',
        body: '{}',
        more: { 'content-type': 'application/json; charset=utf-16' },
        status: 415,
        code: 'HTTP_INVALID',
      },
    ] as { name: string; body: string | Buffer; more?: object; status?: number; code?: string }[])
      it(`is refused and changes nothing: ${name}`, async () => {
        await refused(code, status, CREATE, post(body, more), new HttpClient(server.consoleUrl));
      });

    it('names the field, and repeats nothing of what was sent', async () => {
      const answer = await owner.call('SignInService/ChangePassword', {
        currentPassword: 'hunter2hunter2',
        newPassword: 7,
      });
      assert.deepEqual([answer.status, answer.json?.['field']], [400, 'new_password']);
      assert.ok(!answer.text.includes('hunter2'));
      const wrong = await owner.post('/auth/login', { name: 'owner', password: ['hunter2hunter2'] });
      assert.deepEqual([wrong.status, wrong.json?.['field']], [400, 'password']);
      assert.ok(!wrong.text.includes('hunter2'));
    });
  });

  describe('with somebody else’s sign-in', () => {
    it('one that was made up before the sign-in is worth nothing after it (fixation)', async () => {
      const victim = new HttpClient(server.consoleUrl);
      victim.cookies.set('curfew', 'A'.repeat(43));
      assert.equal((await victim.signIn('owner', PASSWORD)).status, 200);
      const given = victim.cookies.get('curfew') ?? '';
      assert.notEqual(given, 'A'.repeat(43));
      const attacker = new HttpClient(server.consoleUrl);
      attacker.cookies.set('curfew', 'A'.repeat(43));
      assert.equal((await attacker.call('UserService/GetMe')).json?.['code'], 'NOT_SIGNED_IN');
      // The one before is over as soon as the same browser signs in anew.
      assert.equal((await victim.signIn('owner', PASSWORD)).status, 200);
      attacker.cookies.set('curfew', given);
      assert.equal((await attacker.call('UserService/GetMe')).json?.['code'], 'NOT_SIGNED_IN');
    });

    it('a cookie that is there twice counts as none', async () => {
      const secret = owner.cookies.get('curfew') ?? '';
      const cookie = `curfew=${'A'.repeat(43)}; curfew=${secret}`;
      assert.equal((await owner.call('UserService/GetMe', {}, { cookie })).status, 401);
      assert.equal((await owner.call('UserService/GetMe', {}, { cookie: `x=y; curfew=${secret}` })).status, 200);
    });

    it('no page can read the cookie, and no other site can have it sent', async () => {
      const answer = await new HttpClient(server.consoleUrl).signIn('owner', PASSWORD);
      assert.match(
        String(answer.headers['set-cookie']),
        /^curfew=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
      );
      const { hash } = await server.running.ledger.read((db) =>
        db.selectFrom('sign_in').select('hash').limit(1).executeTakeFirstOrThrow(),
      );
      assert.match(hash, /^[0-9a-f]{64}$/, 'the ledger has the hash alone');
    });

    it('a sign-in that ends takes its open streams along, and no other', async () => {
      const [mine, other] = [new HttpClient(server.consoleUrl), new HttpClient(server.consoleUrl)];
      for (const client of [mine, other]) await client.signIn('owner', PASSWORD);
      const watch = async (client: HttpClient): Promise<LinesReader> => {
        const headers = { ...OWN_PAGE, origin: server.consoleUrl };
        const path = '/api/curfew.admin.v1.SessionService/WatchSessions';
        return new LinesReader(await client.open(path, { method: 'POST', headers, body: '{}' }));
      };
      const [ends, stays] = [await watch(mine), await watch(other)];
      await eventually(() => ends.messages.length > 0 && stays.messages.length > 0, {
        withinMs: 10_000,
        what: 'streams',
      });
      const list = (await mine.call('SignInService/ListSignIns')).json as {
        signIns: { id: string; current?: boolean }[];
      };
      const { id } = list.signIns.find(({ current }) => current === true)!;
      assert.equal((await other.call('SignInService/EndSignIn', { signInId: id })).status, 200);
      await eventually(() => ends.ended, { withinMs: 10_000, what: 'the end' });
      assert.equal((ends.messages.at(-1)?.['error'] as { code: string }).code, 'NOT_SIGNED_IN');
      assert.equal((await mine.call('UserService/GetMe')).status, 401);
      assert.ok(!stays.ended);
      stays.response.destroy();
    });
  });
});

describe('the console with TLS', function () {
  this.timeout(30_000);
  let server: TestServer | undefined;
  afterEach(() => server?.close());
  it('has a certificate of the CA, a cookie that only this host can set, and HSTS', async () => {
    server = await startTestServer({ CURFEW_HTTP_TLS: 'on', CURFEW_HTTP_NAMES: 'curfew.example.com' });
    const client = new HttpClient(server.consoleUrl, readFileSync(server.caFile, 'utf8'));
    const answer = await client.signIn('owner', server.ownerPassword);
    assert.equal(answer.status, 200, answer.text);
    assert.match(
      String(answer.headers['set-cookie']),
      /^__Host-curfew=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict; Secure$/,
    );
    assert.equal(answer.headers['strict-transport-security'], 'max-age=31536000');
    for (const host of ['curfew.example.com', hostname()])
      assert.equal((await client.send('/healthz', { headers: { host } })).status, 200, host);
    assert.equal((await client.send('/healthz', { headers: { host: 'evil.example' } })).status, 403);
    // Plain HTTP on this port is no answer at all.
    assert.equal(await rawHttp(server.running.httpPort, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), '');
  });

  it('behind a proxy: the public address is the own origin, and the cookie is for it alone', async () => {
    server = await startTestServer({ CURFEW_HTTP_PUBLIC_URL: 'https://curfew.example.com' });
    const local = new HttpClient(`http://127.0.0.1:${server.running.httpPort}`);
    const body = { name: 'owner', password: server.ownerPassword };
    const host = { host: 'curfew.example.com' };
    assert.equal((await local.post('/auth/login', body, host)).json?.['code'], 'CROSS_SITE');
    const answer = await local.post('/auth/login', body, { ...host, origin: 'https://curfew.example.com' });
    assert.equal(answer.status, 200, answer.text);
    assert.match(String(answer.headers['set-cookie']), /^__Host-curfew=.*; Secure$/);
  });
});

describe('the console behind a proxy', function () {
  this.timeout(30_000);
  let server: TestServer | undefined;
  let clock: MovableClock | undefined;
  afterEach(async () => {
    clock?.start();
    await server?.close();
    clock?.stop();
    clock = undefined;
  });

  for (const { name, options, address, then } of [
    {
      name: 'a stranger who guesses keeps nobody else out, where the proxy is trusted',
      options: { CURFEW_HTTP_TRUSTED_PROXIES: '127.0.0.1' },
      address: '198.51.100.7',
      then: 200,
    },
    {
      name: 'nobody is another by saying so, where it is not',
      options: {},
      address: '127.0.0.1',
      then: 429,
    },
  ])
    it(name, async () => {
      // It stands still: else a slow machine gives back a guess while the others are made.
      clock = MovableClock.stopped();
      server = await startTestServer(options, undefined, clock);
      const client = new HttpClient(server.consoleUrl);
      const login = (who: string, password: string, from: string) =>
        client.post('/auth/login', { name: who, password }, { 'x-forwarded-for': `192.0.2.1, ${from}` });
      for (let at = 0; at < 30; at++)
        assert.equal((await login(`nobody-${at}`, 'wrong wrong wrong', '198.51.100.7')).status, 401);
      const more = await login('nobody', 'wrong wrong wrong', '198.51.100.7');
      assert.deepEqual([more.status, more.json?.['code']], [429, 'TOO_MANY_SIGN_INS']);
      const person = await login('owner', server.ownerPassword, '203.0.113.9');
      assert.equal(person.status, then, person.text);
      const seen = await server.running.ledger.read(async (db) => {
        const failed = await db
          .selectFrom('audit_event')
          .select('record')
          .where('type', '=', 'sign_in.failed')
          .execute();
        return [...new Set(failed.map(({ record }) => /"address":"([^"]*)"/.exec(String(record))?.[1]))];
      });
      assert.deepEqual(seen, [address]);
    });

  it('a connection on which somebody is known stays, whoever the proxy says that it is', async () => {
    clock = new MovableClock();
    server = await startTestServer({ CURFEW_HTTP_TRUSTED_PROXIES: '127.0.0.1' }, undefined, clock);
    const headers = { ...OWN_PAGE, authorization: `Bearer ${server.ownerToken}`, 'x-forwarded-for': '203.0.113.9' };
    const client = new HttpClient(server.consoleUrl);
    const watch = '/api/curfew.admin.v1.SessionService/WatchSessions';
    const reader = new LinesReader(await client.open(watch, { method: 'POST', headers, body: '{}' }));
    await eventually(() => reader.messages.length > 0, { withinMs: 10_000, what: 'a stream' });
    // What is a stranger's is closed after 30 seconds.
    clock.advance(durationMs(31 * SECOND));
    assert.equal((await client.send('/healthz')).status, 200);
    assert.equal(reader.ended, false);
    reader.response.destroy();
  });
});
