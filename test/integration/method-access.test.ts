import { METHOD_ACCESS, RequestRules, type Role as RoleName } from '@curfew/server';
import {
  ConnectRequest,
  DeviceServiceService,
  Role,
  SessionServiceService,
  SignInServiceService,
  UserServiceService,
} from '@curfew/proto';
import { durationMs, HOUR } from '@curfew/shared';
import assert from 'node:assert/strict';
import { ApiClient, asRefusal, refusalOf, type ApiCaller } from '../support/api-client.js';
import { CHECKOUT } from '../support/device.js';
import { HttpClient, OWN_PAGE } from '../support/http-client.js';
import { MovableClock } from '../support/movable-clock.js';
import { runCli } from '../support/run-cli.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { captureTool } from '../support/tool.js';
import { eventually } from '../support/wait.js';

const ROLES = ['user', 'viewer', 'approver', 'admin', 'owner'] as const;

/** Who calls, and what they may: methods of a role, of devices, or none but the open ones. */
interface Caller {
  readonly name: string;
  readonly may: RoleName | 'device' | 'nothing';
  readonly who: ApiCaller;
  /** The browser that is signed in; it knows the HTTP door alone. */
  readonly browser?: HttpClient;
}

describe('who may call what, over real gRPC and real HTTP', function () {
  this.timeout(300_000);
  let server: TestServer;
  let owner: ApiClient;
  let device: ScriptedDevice;
  const callers: Caller[] = [];
  const rules = new RequestRules();

  const tokenOf = async (user: string, scope = Role.UNSPECIFIED): Promise<{ id: string; secret: string }> => {
    const wish = { user, label: 'test', scope, ttl: undefined };
    const { apiToken, secret } = await owner.unary(UserServiceService.createApiToken, wish);
    return { id: apiToken?.id ?? '', secret };
  };
  const createUser = (name: string, role: Role) =>
    owner.unary(UserServiceService.createUser, { name, displayName: '', role });

  before(async () => {
    server = await startTestServer({ CURFEW_LIMITS_UNKNOWN_CALLS_PER_MINUTE: '100000' });
    owner = new ApiClient(server.address, server.running.caFile, { token: server.ownerToken });
    const { secret } = await owner.unary(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined });
    device = await ScriptedDevice.enroll(server, secret, 'web-1', ['alice']);
    device.goOffline();
    await createUser('owner-2', Role.OWNER);
    for (const role of ROLES) {
      const protoRole = Role[role.toUpperCase() as keyof typeof Role];
      await createUser(`a-${role}`, protoRole);
      callers.push({ name: role, may: role, who: { token: (await tokenOf(`a-${role}`)).secret } });
      const narrow = await tokenOf('owner-2', protoRole);
      callers.push({ name: `owner with a token for ${role}`, may: role, who: { token: narrow.secret } });
      const browser = await signedIn(`s-${role}`, protoRole);
      callers.push({ name: `${role} in a browser`, may: role, who: {}, browser });
    }
    for (const name of ['disabled', 'expired', 'revoked']) await createUser(name, Role.OWNER);
    const lost = {
      disabled: await tokenOf('disabled'),
      expired: await tokenOf('expired'),
      revoked: await tokenOf('revoked'),
    };
    const disable = {
      user: 'disabled',
      displayName: undefined,
      role: Role.UNSPECIFIED,
      disabled: true,
      groups: undefined,
      email: undefined,
    };
    await owner.unary(UserServiceService.updateUser, disable);
    await owner.unary(UserServiceService.revokeApiToken, { apiTokenId: lost.revoked.id });
    await server.running.ledger.write(async ({ db }) => {
      await db.updateTable('api_token').set({ expires_at_ms: 1 }).where('id', '=', lost.expired.id).execute();
    });
    for (const [name, { secret: token }] of Object.entries(lost))
      callers.push({ name: `an owner whose token or account is ${name}`, may: 'nothing', who: { token } });
    const unknown = `cft1.${'A'.repeat(43)}`;
    const gone = await signedIn('signed-out', Role.OWNER);
    const cookie = gone.cookies.get('curfew')!;
    assert.equal((await gone.post('/auth/logout', {})).status, 204);
    gone.cookies.set('curfew', cookie);
    callers.push({ name: 'an owner whose sign-in has ended', may: 'nothing', who: {}, browser: gone });
    callers.push(
      { name: 'nobody', may: 'nothing', who: {} },
      { name: 'a token that was never given', may: 'nothing', who: { token: unknown } },
      { name: 'a join token', may: 'nothing', who: { token: secret.slice(0, 200) } },
      { name: 'a device', may: 'device', who: device.identity },
    );
  });
  /** A browser in which a user of the role is signed in, with a password of their own. */
  async function signedIn(name: string, role: Role): Promise<HttpClient> {
    await createUser(name, role);
    const { password } = await owner.unary(SignInServiceService.resetPassword, { user: name });
    const browser = new HttpClient(server.consoleUrl);
    assert.equal((await browser.signIn(name, password)).status, 200);
    const change = { currentPassword: password, newPassword: 'correct horse battery' };
    assert.equal((await browser.call('SignInService/ChangePassword', change)).status, 200);
    return browser;
  }
  after(async () => {
    device.close();
    owner.close();
    await server.close();
  });

  /** The same over HTTP. */
  async function attemptHttp(caller: Caller, path: string): Promise<string> {
    const client = caller.browser ?? new HttpClient(server.consoleUrl);
    const { token } = caller.who;
    const headers = {
      ...OWN_PAGE,
      origin: client.origin,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const response = await client.open(`/api${path}`, { method: 'POST', headers, body: '{}' });
    response.setEncoding('utf8').on('error', () => undefined);
    let text = '';
    for await (const chunk of response as AsyncIterable<string>) {
      text += chunk;
      // A stream that was let in has no end.
      if (response.headers['content-type'] === 'application/jsonl') break;
    }
    response.destroy();
    const [line = '{}'] = text.split('\n');
    const { code = '', error } = JSON.parse(line) as { code?: string; error?: { code: string } };
    const told = error?.code ?? code;
    const expected = { NOT_SIGNED_IN: 401, DEVICE_CERTIFICATE_REQUIRED: 401, METHOD_NOT_ALLOWED: 403 }[told];
    if (expected !== undefined) assert.equal(response.statusCode, expected, `${caller.name} → ${path}`);
    return told;
  }

  const mayCall = (caller: Caller, path: string): boolean => {
    const access = METHOD_ACCESS.get(path)!;
    if (access === 'open' || access === 'device') return access === 'open' || caller.may === 'device';
    return caller.may !== 'nothing' && caller.may !== 'device' && ROLES.indexOf(caller.may) >= ROLES.indexOf(access);
  };
  /** The code that a refused caller must get: who they are, or that it is not enough. */
  const expectedCode = (caller: Caller, path: string): string => {
    if (METHOD_ACCESS.get(path) === 'device') return 'DEVICE_CERTIFICATE_REQUIRED';
    return caller.may === 'nothing' || caller.may === 'device' ? 'NOT_SIGNED_IN' : 'METHOD_NOT_ALLOWED';
  };

  /** Calls a method with next to nothing; gives the code of the refusal, '' when it was let in. */
  function attempt(client: ApiClient, path: string): Promise<string> {
    const codeOf = (error: Error): string => asRefusal(error).code;
    if (path.endsWith('/Connect'))
      return new Promise((resolve) => {
        const stream = client.duplex(path);
        stream.on('error', (error) => resolve(codeOf(error)));
        const message = ConnectRequest.fromPartial({ message: { $case: 'observed', value: {} } });
        stream.write(Buffer.from(ConnectRequest.encode(message).finish()));
      });
    if (/\/(Watch|Export)/.test(path))
      return new Promise((resolve) => {
        const stream = client.stream(path, Buffer.of());
        stream.on('error', (error) => resolve(codeOf(error)));
        stream.on('data', () => {
          resolve('');
          stream.cancel();
        });
      });
    return refusalOf(client.bytes(path, Buffer.of())).then((refusal) => refusal?.code ?? '');
  }
  const auditSize = (): Promise<number> =>
    server.running.ledger.read(async (db) => (await db.selectFrom('audit_event').select('idx').execute()).length);
  /** What may come of a call that was let in with next to nothing in it. */
  const LET_IN =
    /^(|FIELD_INVALID|SELECTION_EMPTY|HELLO_EXPECTED|ORDER_BY_INVALID|PASSWORD_NOT_SET|PASSWORD_WRONG|ROLLOUT_NOT_FOUND)$/;

  it('is as the table says, for every method and every kind of caller', async () => {
    const methods = rules.methods.filter((path) => /^\/curfew\.(admin|agent)\./.test(path));
    assert.deepEqual([...METHOD_ACCESS.keys()].sort(), [...methods].sort());
    let [allowed, refused] = [0, 0];
    for (const caller of callers) {
      const client = new ApiClient(server.address, server.running.caFile, caller.who);
      const doors: { door: string; as: Caller; attempt: (path: string) => Promise<string> }[] = [
        // A certificate says nothing over HTTP: there a device is nobody.
        {
          door: 'HTTP',
          as: caller.may === 'device' ? { ...caller, may: 'nothing' } : caller,
          attempt: (path) => attemptHttp(caller, path),
        },
      ];
      if (caller.browser === undefined)
        doors.push({ door: 'gRPC', as: caller, attempt: (path) => attempt(client, path) });
      for (const { door, as, attempt: call } of doors)
        for (const path of methods) {
          const before = await auditSize();
          const code = await call(path);
          const what = `${caller.name} → ${path} by ${door}: '${code}'`;
          if (mayCall(as, path)) {
            assert.match(code, LET_IN, what);
            allowed++;
          } else {
            assert.equal(code, expectedCode(as, path), what);
            assert.equal(await auditSize(), before, what);
            refused++;
          }
        }
      client.close();
    }
    const browsers = callers.filter(({ browser }) => browser !== undefined).length;
    assert.equal(allowed + refused, (2 * callers.length - browsers) * methods.length);
    assert.ok(allowed > 400 && refused > 400, `${allowed} allowed, ${refused} refused`);
  });

  it('does not reach the methods of the agent', async () => {
    for (const path of rules.methods.filter((name) => name.startsWith('/curfew.local.')))
      assert.equal((await refusalOf(owner.bytes(path, Buffer.of())))?.status, 'UNIMPLEMENTED', path);
  });

  for (const { name, code, stop } of [
    {
      name: 'the role is taken',
      code: 'METHOD_NOT_ALLOWED',
      stop: (user: string) => ({
        user,
        displayName: undefined,
        role: Role.USER,
        disabled: undefined,
        groups: undefined,
        email: undefined,
      }),
    },
    {
      name: 'the user is disabled',
      code: 'NOT_SIGNED_IN',
      stop: (user: string) => ({
        user,
        displayName: undefined,
        role: Role.UNSPECIFIED,
        disabled: true,
        groups: undefined,
        email: undefined,
      }),
    },
  ])
    it(`ends a watch at once when ${name}`, async () => {
      const user = `watcher-${code.toLowerCase()}`;
      await createUser(user, Role.VIEWER);
      const client = new ApiClient(server.address, server.running.caFile, { token: (await tokenOf(user)).secret });
      const stream = client.stream(SessionServiceService.watchSessions.path, Buffer.of());
      let [synced, ended] = [false, ''];
      stream.on('data', () => (synced = true));
      stream.on('error', (error) => (ended = asRefusal(error).code));
      await eventually(() => synced, { withinMs: 20_000, what: 'a watch that runs' });
      await owner.unary(UserServiceService.updateUser, stop(user));
      await eventually(() => ended === code, { withinMs: 20_000, what: `${code}, not '${ended}'` });
      client.close();
    });

  it('ends a watch when its token runs out, and no other', async () => {
    const clock = new MovableClock();
    const own = await startTestServer({}, undefined, clock);
    const open: ApiClient[] = [new ApiClient(own.address, own.running.caFile, { token: own.ownerToken })];
    try {
      const watch = async (hours: number) => {
        const wish = {
          user: '',
          label: 'watch',
          scope: Role.UNSPECIFIED,
          ttl: { seconds: BigInt(hours * 3600), nanos: 0 },
        };
        const { secret } = await open[0]!.unary(UserServiceService.createApiToken, wish);
        const client = new ApiClient(own.address, own.running.caFile, { token: secret });
        open.push(client);
        const watched = { synced: false, ended: '', client };
        const stream = client.stream(SessionServiceService.watchSessions.path, Buffer.of());
        stream.on('data', () => (watched.synced = true));
        stream.on('error', (error) => (watched.ended = asRefusal(error).code));
        await eventually(() => watched.synced, { withinMs: 20_000, what: 'a watch that runs' });
        return watched;
      };
      const [short, long] = [await watch(1), await watch(2)];
      clock.advance(durationMs(HOUR));
      await eventually(() => short.ended === 'NOT_SIGNED_IN', { withinMs: 20_000, what: 'the end of the watch' });
      assert.equal(long.ended, '');
      await long.client.unary(UserServiceService.getMe, {});
    } finally {
      for (const client of open) client.close();
      await own.close();
      clock.stop();
    }
  });

  it('is shown to third-party tools: buf finds the methods by reflection and lists sessions with a token', async () => {
    const buf = `${CHECKOUT}/node_modules/.bin/buf`;
    const options = ['curl', '--protocol', 'grpc', '--cacert', server.running.caFile];
    const url = `https://${server.address}`;
    const methods = await captureTool(buf, [...options, '--list-methods', url]);
    assert.equal(methods.exitCode, 0, methods.stderr);
    for (const path of METHOD_ACCESS.keys()) assert.ok(methods.stdout.includes(path.slice(1)), path);

    const list = `${url}/curfew.admin.v1.SessionService/ListSessions`;
    const answer = await captureTool(buf, [
      ...options,
      '-H',
      `authorization: Bearer ${server.ownerToken}`,
      '-d',
      '{}',
      list,
    ]);
    assert.equal(answer.exitCode, 0, answer.stderr);
    assert.deepEqual(JSON.parse(answer.stdout), {});
    const refused = await captureTool(buf, [...options, '-d', '{}', list]);
    assert.notEqual(refused.exitCode, 0);
    assert.match(refused.stderr, /"code": "unauthenticated"/);
  });

  it('is the same for curfewctl call', async () => {
    const env = { CURFEW_SERVER: server.address, CURFEW_CA: server.running.caFile, HOME: '/nonexistent' };
    const call = (token: string, ...args: string[]) =>
      runCli('curfewctl', ['call', ...args], { ...env, CURFEW_TOKEN: token });
    const answer = await call(
      server.ownerToken,
      'SessionService/ListSessions',
      '{"filter":{"states":["SESSION_STATE_ENDED"]}}',
    );
    assert.deepEqual([answer.code, JSON.parse(answer.out)], [0, {}], answer.err);
    const viewer = callers.find(({ name }) => name === 'viewer')!.who.token!;
    const refused = await call(viewer, 'DeviceService/RemoveDevice', '{"device":"web-1"}');
    assert.equal(refused.code, 1);
    assert.match(refused.err, /the role viewer may not call .*RemoveDevice; it takes admin \[METHOD_NOT_ALLOWED\]/);
  });
});
