import {
  ConnectRequest,
  DeviceServiceService,
  LinkServiceService,
  Role,
  SessionServiceService,
  UserServiceService,
} from '@curfew/proto';
import * as grpc from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import { ApiClient, asRefusal } from '../support/api-client.js';
import { HttpClient } from '../support/http-client.js';
import { readScrape, valueOf } from '../support/metrics-text.js';
import { MovableClock } from '../support/movable-clock.js';
import { CHANNEL_OPTIONS, ScriptedDevice } from '../support/scripted-device.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

/** A link of a device that gives the server no room to answer: its window is closed from the first moment (RFC 9113, 6.9.2). */
function sayHelloAndReadNothing(server: TestServer, device: ScriptedDevice): http2.ClientHttp2Session {
  const { certificate: cert, key } = device.identity;
  const ca = readFileSync(server.running.caFile);
  const settings = { initialWindowSize: 0 };
  const session = http2.connect(`https://${server.address}`, { ca, cert, key, servername: 'curfew-server', settings });
  session.on('error', () => undefined);
  const stream = session.request({
    ':method': 'POST',
    ':path': LinkServiceService.connect.path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => undefined);
  const hex = (): string => randomBytes(16).toString('hex');
  const hello = { nonce: hex(), instance: hex(), bootId: 'boot-1' };
  const message = ConnectRequest.encode(
    ConnectRequest.fromPartial({ message: { $case: 'hello', value: hello } }),
  ).finish();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  stream.write(Buffer.concat([head, message]));
  return session;
}

const LIST = SessionServiceService.listSessions;
const EVERYTHING = { filter: undefined, orderBy: '', pageSize: 0, pageToken: '' };

describe('a server at its limit', function () {
  this.timeout(120_000);
  let server: TestServer;
  let client: grpc.Client;
  let operator: ApiClient;
  let http: HttpClient;
  let clock: MovableClock | undefined;

  const start = async (env: Record<string, string>, ...more: [clock?: MovableClock]): Promise<void> => {
    [clock] = more;
    server = await startTestServer({ CURFEW_METRICS_LISTEN: '127.0.0.1:0', ...env }, undefined, ...more);
    http = new HttpClient(server.consoleUrl);
    operator = new ApiClient(server.address, server.running.caFile, { token: server.ownerToken });
    const channel = grpc.credentials.createSsl(readFileSync(server.caFile));
    client = new grpc.Client(server.address, channel, CHANNEL_OPTIONS);
  };
  afterEach(async () => {
    client.close();
    operator.close();
    clock?.start();
    await server.close();
    clock?.stop();
  });

  const authorized = (): grpc.Metadata => {
    const metadata = new grpc.Metadata();
    metadata.set('authorization', `Bearer ${server.ownerToken}`);
    return metadata;
  };
  /** Calls once; gives the error, null for an answer. */
  const call = <Q>(
    method: { path: string; requestSerialize: (q: Q) => Buffer; responseDeserialize: (b: Buffer) => unknown },
    request: Q,
  ): Promise<grpc.ServiceError | null> =>
    new Promise((resolve) => {
      const { path, requestSerialize, responseDeserialize } = method;
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, authorized(), resolve);
    });
  const revoke = (): Promise<grpc.ServiceError | null> =>
    call(SessionServiceService.revokeSessions, {
      selection: { $case: 'everything', value: true },
      reason: 'enough',
      wait: undefined,
    });
  const metric = async (name: string, labels: Record<string, string> = {}): Promise<number> => {
    const { text } = await new HttpClient(`http://127.0.0.1:${server.running.metricsPort}`).send('/metrics');
    return valueOf(readScrape(text), name, labels) ?? 0;
  };

  it('sends away whom it has no room for, says when to come again, and never a revoke', async () => {
    await start({ CURFEW_LIMITS_CALLS_AT_ONCE: '1', CURFEW_LIMITS_TOKEN_CALLS_PER_SECOND: '100000' });
    const lists = Array.from({ length: 200 }, () => call(LIST, EVERYTHING));
    const revokes = Array.from({ length: 20 }, revoke);
    const errors = (await Promise.all(lists)).filter((error) => error !== null);
    assert.deepEqual(await Promise.all(revokes), Array(20).fill(null), 'every revoke is answered');
    assert.ok(errors.length > 0 && errors.length < 200, `${errors.length} of 200 were sent away`);
    for (const error of errors) {
      const { status, code, text } = asRefusal(error);
      assert.deepEqual([status, code], ['RESOURCE_EXHAUSTED', 'SERVER_BUSY']);
      assert.match(text, /try again in 1s/);
      assert.deepEqual(error.metadata.get('grpc-retry-pushback-ms'), ['1000']);
    }
    assert.equal(await call(LIST, EVERYTHING), null, 'there is room again');
    assert.equal(await metric('curfew_calls_at_work'), 0);
    const busy = { method: 'SessionService/ListSessions', code: 'SERVER_BUSY' };
    assert.equal(await metric('curfew_calls_total', busy), errors.length);
  });

  it('says over HTTP as well when to come again', async () => {
    // No second goes by: five calls may come at once, and none is given back.
    await start({ CURFEW_LIMITS_TOKEN_CALLS_PER_SECOND: '1' }, MovableClock.stopped());
    const headers = { authorization: `Bearer ${server.ownerToken}`, 'content-type': 'application/json' };
    const list = () =>
      http.send('/api/curfew.admin.v1.SessionService/ListSessions', { method: 'POST', headers, body: '{}' });
    const answers = await Promise.all(Array.from({ length: 12 }, list));
    const refused = answers.filter(({ status }) => status === 429);
    assert.equal(refused.length, 7);
    for (const { json, headers: told } of refused) {
      assert.equal(json?.['code'], 'TOO_MANY_CALLS');
      assert.match(told['retry-after'] ?? '', /^[1-9]\d*$/);
    }
    assert.equal(await revoke(), null);
  });

  it('ends the link of an agent that does not read, and holds no more for it than a bounded number of messages', async () => {
    await start({ CURFEW_LIMITS_TOKEN_CALLS_PER_SECOND: '100000' });
    const { secret } = await operator.unary(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined });
    const device = await ScriptedDevice.enroll(server, secret, 'web-1', ['alice']);
    await operator.unary(UserServiceService.createUser, { name: 'alice', displayName: '', role: Role.USER });
    device.goOffline();
    await eventually(async () => (await metric('curfew_links')) === 0, { withinMs: 10_000, what: 'no link' });
    const deaf = sayHelloAndReadNothing(server, device);
    await eventually(async () => (await metric('curfew_links')) === 1, { withinMs: 10_000, what: 'the link' });
    let grants = 0;
    const wish = { user: 'alice', device: 'web-1', account: '', resource: '', options: undefined };
    const times = { duration: { seconds: 600n, nanos: 0 }, reason: 'why' };
    while ((await metric('curfew_links')) === 1 && grants < 1_000)
      for (const last = grants + 20; grants < last; grants++) {
        await operator.unary(SessionServiceService.grantSession, { ...wish, ...times });
        await revoke();
      }
    assert.ok(grants < 1_000, 'its link is ended');
    assert.equal(await metric('curfew_links_closed_total', { code: 'TOO_MANY_CALLS' }), 1);
    deaf.destroy();
    // Nothing is lost by that: the next link begins with the whole state.
    await device.goOnline();
    assert.deepEqual(device.desired.at(-1)?.leases, []);
    device.close();
  });
});
