import { DeviceServiceService, Role, SessionServiceService, SessionState, UserServiceService } from '@curfew/proto';
import { SystemClock } from '@curfew/shared';
import * as grpc from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ApiClient } from '../support/api-client.js';
import { HttpClient } from '../support/http-client.js';
import { LogLines } from '../support/log-lines.js';
import { runCli } from '../support/run-cli.js';
import { CHANNEL_OPTIONS, ScriptedDevice } from '../support/scripted-device.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

const REVOKE = '/api/curfew.admin.v1.SessionService/RevokeSessions';

describe('the id of a call', function () {
  this.timeout(60_000);
  const log = new LogLines('curfew-server');
  let server: TestServer;
  let operator: ApiClient;
  let device: ScriptedDevice;
  let http: HttpClient;

  before(async () => {
    server = await startTestServer({}, undefined, new SystemClock(), log.logger);
    http = new HttpClient(server.consoleUrl);
    operator = new ApiClient(server.address, server.running.caFile, { token: server.ownerToken });
    const { secret } = await operator.unary(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined });
    device = await ScriptedDevice.enroll(server, secret, 'web-1', ['alice']);
    await operator.unary(UserServiceService.createUser, { name: 'alice', displayName: '', role: Role.USER });
  });
  after(async () => {
    device.close();
    operator.close();
    await server.close();
  });

  const active = async (): Promise<string> => {
    const wish = { user: 'alice', device: 'web-1', account: '', resource: '', options: undefined };
    const times = { duration: { seconds: 600n, nanos: 0 }, reason: 'why' };
    const id = (await operator.unary(SessionServiceService.grantSession, { ...wish, ...times })).session?.id ?? '';
    await eventually(
      async () => {
        const { session } = await operator.unary(SessionServiceService.getSession, { sessionId: id });
        return session?.state === SessionState.ACTIVE;
      },
      { withinMs: 20_000, what: 'a right' },
    );
    return id;
  };
  const headers = (more: Record<string, string> = {}) => ({
    authorization: `Bearer ${server.ownerToken}`,
    'content-type': 'application/json',
    ...more,
  });
  const revoke = (id: string, more: Record<string, string> = {}) => {
    const body = JSON.stringify({ sessions: { ids: [id] }, reason: 'enough', wait: '10s' });
    return http.send(REVOKE, { method: 'POST', headers: headers(more), body });
  };
  /** The audit events of a session that name the call. */
  const audited = (requestId: string): Promise<string[]> =>
    server.running.ledger.read(async (db) => {
      const rows = await db.selectFrom('audit_event').select(['type', 'record']).orderBy('idx').execute();
      const of = ({ record }: { record: Buffer }) =>
        (JSON.parse(record.toString()) as { requestId?: string }).requestId;
      return rows.filter((row) => of(row) === requestId).map(({ type }) => type);
    });
  /** What the device was told of the end of a session. */
  const told = (id: string): string[] =>
    device.desired.flatMap(({ endNotices }) =>
      endNotices.filter(({ sessionId }) => sessionId === id).map(({ requestId }) => requestId),
    );
  const logged = (requestId: string) => log.lines.filter((line) => line['requestId'] === requestId);

  it('goes from the caller through log and audit log to the device', async () => {
    const id = await active();
    const answer = await revoke(id, { 'x-request-id': 'ticket-4711' });
    assert.deepEqual([answer.status, answer.headers['x-request-id']], [200, 'ticket-4711']);
    assert.deepEqual(told(id), ['ticket-4711']);
    assert.deepEqual(await audited('ticket-4711'), ['session.revoked']);
    const [{ timestamp: _, ms, ...line } = {}, ...others] = logged('ticket-4711');
    assert.equal(typeof ms, 'number');
    assert.deepEqual(line, {
      program: 'curfew-server',
      level: 'info',
      message: 'call',
      method: '/curfew.admin.v1.SessionService/RevokeSessions',
      requestId: 'ticket-4711',
      user: 'owner',
      code: 'OK',
    });
    assert.deepEqual(others, []);
  });

  it('is made by the server where the caller has none, or one that is no name', async () => {
    for (const more of [{}, { 'x-request-id': 'a b' }, { 'x-request-id': 'x'.repeat(65) }]) {
      const id = await active();
      const made = String((await revoke(id, more)).headers['x-request-id']);
      assert.match(made, /^[0-9a-f]{16}$/);
      assert.deepEqual([told(id), await audited(made)], [[made], ['session.revoked']]);
    }
  });

  it('comes from curfewctl as well', async () => {
    const id = await active();
    const env = { CURFEW_SERVER: server.address, CURFEW_TOKEN: server.ownerToken, CURFEW_CA: server.caFile };
    const args = ['sessions', 'revoke', id, '--reason', 'enough', '--wait'];
    const done = await runCli('curfewctl', args, { ...env, HOME: '/nonexistent', CURFEW_REQUEST_ID: 'incident-2041' });
    assert.equal(done.code, 0, done.err);
    assert.deepEqual([told(id), await audited('incident-2041')], [['incident-2041'], ['session.revoked']]);
  });

  it('is told with a refusal, and stands in the log with its code', async () => {
    const channel = grpc.credentials.createSsl(readFileSync(server.caFile));
    const client = new grpc.Client(server.address, channel, CHANNEL_OPTIONS);
    const metadata = new grpc.Metadata();
    metadata.set('authorization', `Bearer ${server.ownerToken}`);
    metadata.set('x-request-id', 'refused-call-1');
    const { path, requestSerialize, responseDeserialize } = SessionServiceService.revokeSessions;
    const wish = { selection: { $case: 'user', value: 'nobody' } as const, reason: 'x', wait: undefined };
    const error = await new Promise<grpc.ServiceError | null>((resolve) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, wish, metadata, resolve);
    });
    client.close();
    assert.equal(error?.metadata.get('x-request-id')[0], 'refused-call-1');
    assert.deepEqual(
      logged('refused-call-1').map(({ code, user }) => [code, user]),
      [['USER_NOT_FOUND', 'owner']],
    );
    assert.deepEqual(await audited('refused-call-1'), []);
  });

  it('is not logged of calls that only look, nor of what nobody signed in has sent', async () => {
    const look = { method: 'POST', headers: headers({ 'x-request-id': 'only-a-look' }), body: '{}' };
    assert.equal((await http.send('/api/curfew.admin.v1.SessionService/ListSessions', look)).status, 200);
    const stranger = { 'content-type': 'application/json', 'x-request-id': 'a-stranger-1' };
    const refused = await http.send(REVOKE, { method: 'POST', headers: stranger, body: '{}' });
    assert.deepEqual([refused.status, refused.headers['x-request-id']], [401, 'a-stranger-1']);
    assert.deepEqual([logged('only-a-look'), logged('a-stranger-1')], [[], []]);
  });
});
