import {
  ApproveAccessRequestRequest,
  DeviceServiceService,
  RequestServiceService,
  RevokeOutcome,
  Role,
  SessionServiceService,
  SessionState,
  UserServiceService,
} from '@curfew/proto';
import * as grpc from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { askForSession, startSession } from '../bench/asked-session.js';
import { ApiClient } from '../support/api-client.js';
import { ControlPlane } from '../support/control-plane.js';
import { fakeConnectorKind } from '../support/fake-connector-kind.js';
import { FakeResource } from '../support/fake-resource.js';
import { HttpClient } from '../support/http-client.js';
import { readScrape, valueOf } from '../support/metrics-text.js';
import { receiverCertificate } from '../support/receiver-certificate.js';
import { ResourceOperator } from '../support/resource-operator.js';
import { scratchFolder } from '../support/scratch.js';
import { CHANNEL_OPTIONS, ScriptedDevice } from '../support/scripted-device.js';
import { startTestServer } from '../support/test-server.js';
import { TraceReceiver, type ReceivedSpan, type Treatment } from '../support/trace-receiver.js';
import { eventually } from '../support/wait.js';

const GRANT = 'SessionService/GrantSession';
const REVOKE = 'SessionService/RevokeSessions';
const START = 'LinkService/StartSession';
const WITHIN = { withinMs: 20_000 };
const PARENT = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const traceparent = (traceId = PARENT.traceId, sampled = true): string =>
  `00-${traceId}-${PARENT.spanId}-0${Number(sampled)}`;

/** A server, an operator and a device with one account, whose people are called what must not be sent. */
class Stage {
  private constructor(
    readonly plane: ControlPlane,
    /** Margaret's, who is an admin. */
    readonly operator: ApiClient,
    readonly device: ScriptedDevice,
    readonly secrets: { readonly joinToken: string; readonly token: string },
  ) {}

  static async open(options: Readonly<Record<string, string>>): Promise<Stage> {
    const plane = await ControlPlane.start(options);
    const owner = new ApiClient(plane.address, plane.caFile, { token: plane.ownerToken });
    const { secret } = await owner.unary(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined });
    const device = await ScriptedDevice.enroll(plane, secret, 'workshop-7', ['alice']);
    for (const [name, displayName, role] of [
      ['alice', 'Alice Liddell <alice@example.org>', Role.USER],
      ['margaret', 'Margaret Hamilton', Role.ADMIN],
    ] as const)
      await owner.unary(UserServiceService.createUser, { name, displayName, role });
    const wish = { user: 'margaret', label: 'engine room', scope: Role.ADMIN, ttl: undefined };
    const { secret: token } = await owner.unary(UserServiceService.createApiToken, wish);
    owner.close();
    const operator = new ApiClient(plane.address, plane.caFile, { token });
    return new Stage(plane, operator, device, { joinToken: secret, token });
  }

  /** Gives alice admin rights, and waits until the device has them. */
  async grant(): Promise<string> {
    const wish = { user: 'alice', device: 'workshop-7', account: '', resource: '', options: undefined };
    const times = { duration: { seconds: 600n, nanos: 0 }, reason: 'a burst pipe' };
    const { session } = await this.operator.unary(SessionServiceService.grantSession, { ...wish, ...times });
    const id = session?.id ?? '';
    await eventually(() => this.device.held.includes(id), { ...WITHIN, what: 'a right' });
    return id;
  }

  /** Revokes over gRPC with metadata, and waits for the device; gives how far it came, or the code of the refusal. */
  revoke(selection: { ids: string[] } | { user: string }, headers: Readonly<Record<string, string>> = {}) {
    const channel = grpc.credentials.createSsl(readFileSync(this.plane.caFile));
    const client = new grpc.Client(this.plane.address, channel, CHANNEL_OPTIONS);
    const metadata = new grpc.Metadata();
    for (const [name, value] of Object.entries({ authorization: `Bearer ${this.secrets.token}`, ...headers }))
      metadata.set(name, value);
    const { path, requestSerialize, responseDeserialize } = SessionServiceService.revokeSessions;
    const wish = {
      selection:
        'ids' in selection
          ? { $case: 'sessions' as const, value: selection }
          : { $case: 'user' as const, value: selection.user },
      reason: 'the pipe is mended',
      wait: { seconds: 20n, nanos: 0 },
    };
    return new Promise<RevokeOutcome | string | undefined>((resolve) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, wish, metadata, (error, answer) => {
        resolve(error === null ? answer?.results[0]?.outcome : String(error.metadata.get('curfew-error-code')[0]));
      });
    }).finally(() => client.close());
  }

  async close(): Promise<void> {
    this.device.close();
    this.operator.close();
    await this.plane.dispose();
  }
}

describe('traces of a server at work', function () {
  this.timeout(120_000);
  let receiver: TraceReceiver;
  let folder = '';
  let stage: Stage;

  before(async () => {
    receiver = await new TraceReceiver().start();
    folder = scratchFolder('traces');
    const headers = join(folder, 'headers');
    writeFileSync(headers, 'x-team: team-1\n');
    // Of what the environment says to the library only headers count.
    const others = {
      OTEL_SDK_DISABLED: 'true',
      OTEL_TRACES_SAMPLER: 'always_off',
      OTEL_RESOURCE_ATTRIBUTES: 'team=other',
      OTEL_BSP_SCHEDULE_DELAY: '600000',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-other=other,x-team=other',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    };
    stage = await Stage.open({ CURFEW_TRACES_URL: receiver.url, CURFEW_TRACES_HEADERS_FILE: headers, ...others });
  });
  after(async () => {
    await stage.close();
    await receiver.stop();
    rmSync(folder, { recursive: true });
  });

  /** The call with this id, once all that belongs to it has come: `parts` of it. */
  const call = (method: string, requestId: string, parts: number): Promise<ReceivedSpan> =>
    eventually(
      () => {
        const found = receiver.calls(method).find(({ facts }) => facts['curfew.request_id'] === requestId);
        return found !== undefined && receiver.partsOf(found).length >= parts ? found : undefined;
      },
      { ...WITHIN, what: `the trace of ${requestId}` },
    );
  const shown = (parts: readonly ReceivedSpan[]) =>
    parts
      .map(({ name, kind, facts, status }) => ({ name, kind, facts, status }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  const parts = (lane: string) => [
    {
      name: 'device confirms',
      kind: 1,
      facts: { 'curfew.device.id': stage.device.id, 'curfew.sessions': 1, 'curfew.outcome': 'confirmed' },
      status: 0,
    },
    { name: 'ledger commit', kind: 1, facts: { 'curfew.ledger.lane': lane }, status: 0 },
    { name: 'ledger queue', kind: 1, facts: { 'curfew.ledger.lane': lane }, status: 0 },
  ];
  const facts = (method: string, requestId: string, more: ReceivedSpan['facts']) => ({
    'rpc.method': `curfew.admin.v1.${method}`,
    'curfew.request_id': requestId,
    'curfew.stream': false,
    'curfew.caller.role': 'admin',
    'curfew.code': 'OK',
    ...more,
  });
  const ONE_RIGHT = { 'curfew.ledger.writes': 1, 'curfew.sessions': 1, 'curfew.devices': 1 };

  it('tell of a grant from the call to the confirmation of the device', async () => {
    const seen = receiver.calls(GRANT).length;
    const id = await stage.grant();
    const grant = await eventually(
      () => {
        const found = receiver.calls(GRANT)[seen];
        return found !== undefined && receiver.partsOf(found).length === 3 ? found : undefined;
      },
      { ...WITHIN, what: 'the trace of a grant' },
    );
    assert.equal(grant.name, `curfew.admin.v1.${GRANT}`);
    assert.deepEqual([grant.parentSpanId, grant.status], ['', 0]);
    const requestId = String(grant.facts['curfew.request_id']);
    assert.match(requestId, /^[0-9a-f]{16}$/);
    assert.deepEqual(grant.facts, facts(GRANT, requestId, ONE_RIGHT));
    assert.deepEqual(shown(receiver.partsOf(grant)), parts('in_turn'));
    assert.equal(await stage.revoke({ ids: [id] }), RevokeOutcome.EFFECTIVE);
  });

  it('go on with the trace of a caller over gRPC, and leave the id of the call as it is', async () => {
    const id = await stage.grant();
    const headers = { traceparent: traceparent(), 'x-request-id': 'ticket-4711' };
    assert.equal(await stage.revoke({ ids: [id] }, headers), RevokeOutcome.EFFECTIVE);
    const revoke = await call(REVOKE, 'ticket-4711', 3);
    assert.deepEqual([revoke.traceId, revoke.parentSpanId], [PARENT.traceId, PARENT.spanId]);
    assert.deepEqual(revoke.facts, facts(REVOKE, 'ticket-4711', ONE_RIGHT));
    assert.deepEqual(shown(receiver.partsOf(revoke)), parts('first'));
  });

  it('go on with the trace of a caller over JSON', async () => {
    const id = await stage.grant();
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const answer = await new HttpClient(`http://127.0.0.1:${stage.plane.httpPort}`).send(
      `/api/curfew.admin.v1.${REVOKE}`,
      {
        method: 'POST',
        headers: {
          authorization: `Bearer ${stage.secrets.token}`,
          'content-type': 'application/json',
          'x-request-id': 'ticket-4712',
          traceparent: traceparent(traceId),
        },
        body: JSON.stringify({ sessions: { ids: [id] }, reason: 'enough', wait: '20s' }),
      },
    );
    assert.deepEqual([answer.status, answer.headers['x-request-id']], [200, 'ticket-4712'], answer.text);
    const revoke = await call(REVOKE, 'ticket-4712', 3);
    assert.deepEqual([revoke.traceId, revoke.parentSpanId], [traceId, PARENT.spanId]);
    assert.deepEqual(revoke.facts, facts(REVOKE, 'ticket-4712', ONE_RIGHT));
    assert.deepEqual(shown(receiver.partsOf(revoke)), parts('first'));
  });

  it('tell of a session that somebody on a device has started', async () => {
    const request = await askForSession(stage.device, 'alice', 'a burst pipe');
    const approval = ApproveAccessRequestRequest.fromPartial({ requestId: request });
    await stage.operator.unary(RequestServiceService.approveAccessRequest, approval);
    const id = await startSession(stage.device, 'alice', request);
    const start = await eventually(
      () => {
        const [found] = receiver.calls(START);
        return found !== undefined && receiver.partsOf(found).length === 3 ? found : undefined;
      },
      { ...WITHIN, what: 'the trace of a start' },
    );
    assert.deepEqual([start.facts['curfew.caller.role'], start.facts['curfew.sessions']], ['device', 1]);
    assert.deepEqual(shown(receiver.partsOf(start)), parts('in_turn'));
    assert.equal(await stage.revoke({ ids: [id] }), RevokeOutcome.EFFECTIVE);
  });

  it('tell of what is done in the console', async () => {
    const browser = new HttpClient(`http://127.0.0.1:${stage.plane.httpPort}`);
    assert.equal((await browser.signIn('owner', stage.plane.ownerPassword)).status, 200);
    const change = { currentPassword: stage.plane.ownerPassword, newPassword: 'correct horse battery' };
    const changed = await browser.call('SignInService/ChangePassword', change, { 'x-request-id': 'in-the-console' });
    assert.equal(changed.status, 200, changed.text);
    const { facts: said } = await call('SignInService/ChangePassword', 'in-the-console', 2);
    assert.deepEqual([said['curfew.caller.role'], said['curfew.code']], ['owner', 'OK']);
  });

  it('begin anew where the caller names none that there can be', async () => {
    const odd = ['', 'x', '00-0-0-01', `00-${'0'.repeat(32)}-${PARENT.spanId}-01`];
    for (const [at, given] of odd.entries()) {
      const headers = { traceparent: given, 'x-request-id': `odd-parent-${at}` };
      assert.equal(await stage.revoke({ user: 'nobody' }, headers), 'USER_NOT_FOUND');
    }
    for (const [at, given] of odd.entries()) {
      const { parentSpanId, traceId } = await call(REVOKE, `odd-parent-${at}`, 2);
      assert.equal(parentSpanId, '', given);
      assert.match(traceId, /^(?!0{32})[0-9a-f]{32}$/);
    }
  });

  it('say how a call was refused, and of nobody who is not known a role', async () => {
    assert.equal(await stage.revoke({ user: 'nobody' }, { 'x-request-id': 'refused-call-1' }), 'USER_NOT_FOUND');
    const stranger = { authorization: 'Bearer of-no-token-at-all', 'x-request-id': 'a-stranger-1' };
    assert.equal(await stage.revoke({ user: 'alice' }, stranger), 'NOT_SIGNED_IN');
    const refused = await call(REVOKE, 'refused-call-1', 2);
    assert.deepEqual([refused.facts['curfew.code'], refused.status], ['USER_NOT_FOUND', 0]);
    const { facts: said, ...unknown } = await call(REVOKE, 'a-stranger-1', 0);
    assert.deepEqual([said['curfew.code'], said['curfew.caller.role']], ['NOT_SIGNED_IN', undefined]);
    assert.deepEqual(
      receiver.spans.filter(({ parentSpanId }) => parentSpanId === unknown.spanId),
      [],
    );
  });

  it('are not recorded where the caller does not record theirs', async () => {
    const unseen = { traceparent: traceparent(PARENT.traceId, false), 'x-request-id': 'not-recorded' };
    assert.equal(await stage.revoke({ user: 'nobody' }, unseen), 'USER_NOT_FOUND');
    assert.equal(await stage.revoke({ user: 'nobody' }, { 'x-request-id': 'after-it' }), 'USER_NOT_FOUND');
    // They come in the order in which they have ended.
    await call(REVOKE, 'after-it', 2);
    assert.ok(receiver.spans.every(({ facts: said }) => said['curfew.request_id'] !== 'not-recorded'));
  });

  it('say what server it is, and take along what the file of headers says before the environment', () => {
    const [resource] = receiver.resources;
    const { 'service.version': version, 'service.instance.id': instance, ...others } = resource ?? {};
    assert.match(String(version), /^\d+\.\d+\.\d+/);
    assert.match(String(instance), /^[0-9a-f]{16}$/);
    assert.deepEqual(others, { 'service.name': 'curfew-server' });
    assert.deepEqual([receiver.headers['x-team'], receiver.headers['x-other']], ['team-1', 'other']);
  });

  it('name nobody and give nothing away, and what waits is sent before the server ends', async () => {
    assert.equal(await stage.revoke({ user: 'nobody' }, { 'x-request-id': 'the-last-call' }), 'USER_NOT_FOUND');
    await stage.plane.stop();
    assert.deepEqual(stage.plane.end, { exitCode: 0, signal: null });
    assert.equal(receiver.calls(REVOKE).at(-1)?.facts['curfew.request_id'], 'the-last-call');
    const sent = receiver.bodies.join('\n');
    assert.ok(sent.includes(stage.device.id));
    const names = [
      'alice',
      'Liddell',
      'example.org',
      'margaret',
      'Hamilton',
      'usr-',
      'workshop-7',
      'engine',
      '127.0.0.1',
    ];
    for (const text of [...names, 'pipe', 'horse', 'nobody']) assert.ok(!sent.includes(text), text);
    const { ownerToken, ownerPassword } = stage.plane;
    for (const secret of [ownerToken, ownerPassword, ...Object.values(stage.secrets), 'of-no-token-at-all'])
      for (const piece of [secret, secret.slice(-12)]) assert.ok(piece.length >= 8 && !sent.includes(piece));
  });
});

describe('traces of timed access', function () {
  this.timeout(60_000);

  it('tell when the resource has confirmed, and neither its secret nor its names', async () => {
    const receiver = await new TraceReceiver().start();
    const resource = await new FakeResource().start();
    resource.people.add('alice');
    const env = { CURFEW_TRACES_URL: receiver.url, CURFEW_TIMED_ACCESS_ALLOW_LOCAL_TARGETS: 'true' };
    const server = await startTestServer(env, [fakeConnectorKind()]);
    const owner = new ResourceOperator(server);
    try {
      await owner.user('alice');
      await owner.connector('lighthouse', resource.url);
      await owner.resource('keepers', 'lighthouse');
      await owner.until(await owner.grant('alice', 'keepers'), SessionState.ACTIVE);
      owner.close();
      await server.close();
      const [grant, ...others] = receiver.calls(GRANT);
      assert.ok(grant !== undefined && others.length === 0);
      assert.deepEqual([grant.facts['curfew.sessions'], grant.facts['curfew.devices']], [1, 0]);
      const confirms = receiver.partsOf(grant).filter(({ name }) => name === 'resource confirms');
      assert.deepEqual(
        confirms.map(({ facts }) => facts),
        [{ 'curfew.sessions': 1, 'curfew.outcome': 'confirmed' }],
      );
      const sent = receiver.bodies.join('\n');
      for (const text of ['hunter2', 'lighthouse', 'keepers', 'alice']) assert.ok(!sent.includes(text), text);
    } finally {
      await resource.stop();
      await receiver.stop();
    }
  });
});

describe('a collector with TLS', function () {
  this.timeout(60_000);

  it('gets traces by the CA of the file, and none by another', async () => {
    const folder = scratchFolder('traces');
    const receiver = await new TraceReceiver(await receiverCertificate(folder)).start();
    const { caFile } = await receiverCertificate(join(folder, 'other'));
    try {
      for (const [name, file] of [
        ['another', caFile],
        ['its own', join(folder, 'receivers/ca.crt')],
      ] as const) {
        const server = await startTestServer({ CURFEW_TRACES_URL: receiver.url, CURFEW_TRACES_CA_FILE: file });
        const owner = new ApiClient(server.address, server.caFile, { token: server.ownerToken });
        await owner.unary(UserServiceService.createUser, { name: 'alice', displayName: '', role: Role.USER });
        owner.close();
        await server.close();
        assert.equal(receiver.calls('UserService/CreateUser').length, name === 'another' ? 0 : 1, name);
      }
    } finally {
      await receiver.stop();
      rmSync(folder, { recursive: true });
    }
  });
});

describe('a collector that fails', function () {
  this.timeout(120_000);

  const CASES: readonly { readonly name: string; readonly treatment: Treatment | 'gone' }[] = [
    { name: 'never answers', treatment: 'hang' },
    { name: 'answers 500', treatment: 'fail' },
    { name: 'answers nonsense', treatment: 'nonsense' },
    { name: 'answers without an end', treatment: 'endless' },
    { name: 'cuts each connection', treatment: 'reset' },
    { name: 'is gone', treatment: 'gone' },
  ];
  for (const { name, treatment } of CASES)
    it(`and ${name} changes no answer, and the server stops in order`, async () => {
      const receiver = await new TraceReceiver().start();
      const address = receiver.url;
      if (treatment === 'gone') await receiver.stop();
      else receiver.treatment = treatment;
      const stage = await Stage.open({ CURFEW_TRACES_URL: address });
      try {
        if (treatment !== 'gone') await eventually(() => receiver.bodies.length > 0, { ...WITHIN, what: 'a post' });
        const id = await stage.grant();
        assert.equal(await stage.revoke({ ids: [id] }), RevokeOutcome.EFFECTIVE);
        assert.deepEqual(stage.device.held, []);
        await stage.plane.stop();
        assert.deepEqual(stage.plane.end, { exitCode: 0, signal: null });
        assert.equal(receiver.spans.length, 0);
      } finally {
        await stage.close();
        await receiver.stop();
      }
    });

  it('is told of in the metrics, and its spans are counted', async () => {
    const receiver = await new TraceReceiver().start();
    receiver.treatment = 'fail';
    const server = await startTestServer({ CURFEW_TRACES_URL: receiver.url, CURFEW_METRICS_LISTEN: '127.0.0.1:0' });
    const owner = new ApiClient(server.address, server.caFile, { token: server.ownerToken });
    const prometheus = new HttpClient(`http://127.0.0.1:${server.running.metricsPort}`);
    try {
      await owner.unary(UserServiceService.createUser, { name: 'alice', displayName: '', role: Role.USER });
      // The call, and its change of the ledger: how long it waited, how long it took.
      const dropped = async () => {
        const scrape = readScrape((await prometheus.send('/metrics')).text);
        return valueOf(scrape, 'curfew_traces_dropped_total') ?? 0;
      };
      // They may go in more than one piece.
      await eventually(async () => (await dropped()) >= 3, { ...WITHIN, what: 'dropped spans' });
      assert.equal(await dropped(), 3);
    } finally {
      owner.close();
      await server.close();
      await receiver.stop();
    }
  });
});
