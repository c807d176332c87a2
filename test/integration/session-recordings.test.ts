import {
  ApplyPoliciesRequest,
  AuditServiceService,
  CutRecordingRequest,
  DeviceServiceService,
  GetSessionRequest,
  GrantSessionRequest,
  ListAuditEventsRequest,
  ListRecordingsRequest,
  PolicyServiceService,
  RecordedEvent,
  RecordingMode,
  RecordingServiceService as service,
  RecordingState,
  RevokeSessionsRequest,
  Role,
  RevokeOutcome,
  SessionServiceService,
  UserServiceService,
  type Recording,
} from '@curfew/proto';
import { openServerKeys, restoreLedger } from '@curfew/server/parts';
import { SecretFiles } from '@curfew/server';
import { SystemClock, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiClient, refusalOf } from '../support/api-client.js';
import { HttpClient, OWN_PAGE } from '../support/http-client.js';
import { framesOf, RecordedCall, RecordingWatcher, startSession, written } from '../support/recorded-call.js';
import { scratchFolder } from '../support/scratch.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

const POLICIES = `policies:
  - name: recorded
    effect: allow
    auto_approval: {}
    recording: { mode: output, required: true, keep: 30d }
`;
const EXIT = { state: RecordingState.COMPLETE, runTime: { seconds: 2n, nanos: 0 }, exitStatus: 3 };
const SECRET = 'hunter2hunter2';

describe('recordings of sessions', function () {
  this.timeout(60_000);
  let data: string;
  let server: TestServer;
  let port = '0';
  let owner: ApiClient;
  let ownerToken = '';
  let device: ScriptedDevice;
  let other: ScriptedDevice;
  let session: string;

  async function startServer(): Promise<void> {
    server = await startTestServer({ CURFEW_DATA_DIR: data, CURFEW_GRPC_PORT: port });
    port = server.address.split(':')[1] ?? '';
    ownerToken = server.ownerToken === '' ? ownerToken : server.ownerToken;
    owner = new ApiClient(server.address, server.running.caFile, { token: ownerToken });
  }
  const revokeAll = (reason = 'enough') =>
    owner.unary(
      SessionServiceService.revokeSessions,
      RevokeSessionsRequest.fromPartial({
        selection: { $case: 'everything', value: true },
        reason,
        wait: { seconds: 10n, nanos: 0 },
      }),
    );
  const list = async (sessionId = session): Promise<Recording[]> => {
    const request = ListRecordingsRequest.fromPartial({ sessionId });
    return (await owner.unary(service.listRecordings, request)).recordings;
  };
  const audited = async (type: string): Promise<string[]> => {
    const request = ListAuditEventsRequest.fromPartial({ typePrefix: type });
    const { events } = await owner.unary(AuditServiceService.listAuditEvents, request);
    return events.map(({ actor, subject }) => `${actor} ${subject}`);
  };

  before(async () => {
    data = scratchFolder('recordings');
    await startServer();
    await owner.unary(
      PolicyServiceService.applyPolicies,
      ApplyPoliciesRequest.fromPartial({ text: POLICIES, prune: true }),
    );
    const { secret } = await owner.unary(DeviceServiceService.createJoinToken, { uses: 2, ttl: undefined });
    device = await ScriptedDevice.enroll(server, secret, 'web-1', ['alice']);
    other = await ScriptedDevice.enroll(server, secret, 'db-1', ['alice']);
  });
  after(async () => {
    device.close();
    other.close();
    owner.close();
    await server.close();
    rmSync(data, { recursive: true, force: true });
  });
  beforeEach(async () => {
    session = await startSession(device, 'alice');
  });
  afterEach(() => revokeAll());

  it('are what the policy says: in the session, and in the lease', async () => {
    const request = GetSessionRequest.fromPartial({ sessionId: session });
    const { session: shown } = await owner.unary(SessionServiceService.getSession, request);
    const keep = { seconds: 30n * 86_400n, nanos: 0 };
    assert.deepEqual(shown?.recording, { mode: RecordingMode.OUTPUT, required: true, keep });
    const lease = device.desired.at(-1)?.leases[0] ?? '';
    const claims = JSON.parse(Buffer.from(lease.split('.')[1] ?? '', 'base64url').toString()) as Record<
      string,
      unknown
    >;
    assert.deepEqual(claims['recording'], { mode: 'output', required: true });
  });

  it('are not of what operators give directly', async () => {
    await revokeAll();
    const wish = { user: 'alice', device: 'web-1', duration: { seconds: 60n, nanos: 0 }, reason: 'a look' };
    const given = await owner.unary(SessionServiceService.grantSession, GrantSessionRequest.fromPartial(wish));
    assert.equal(given.session?.recording, undefined);
    const call = new RecordedCall(given.session?.id ?? '');
    assert.equal((await refusalOf(call.append(device, [])))?.code, 'RECORDING_INVALID');
    assert.deepEqual(await list(given.session?.id), []);
  });

  it('are listed in the order of their calls, and are watched from the start to their end', async () => {
    const [second, first] = [
      new RecordedCall(session, { startTime: new Date('2026-11-27T10:25:00Z') }),
      new RecordedCall(session, { arguments: ['cat', `--token=${SECRET}`] }),
    ];
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
    await second.append(device, []);
    await first.append(device, [written('one\r\n'), written(bytes)]);
    await first.append(device, [written('€\r\n')], EXIT);
    assert.deepEqual(
      (await list()).map(({ id }) => id),
      [first.id, second.id],
    );
    const watcher = new RecordingWatcher(owner, first.id);
    await watcher.over();
    assert.equal(watcher.end, null);
    assert.deepEqual(watcher.output, Buffer.concat([Buffer.from('one\r\n'), bytes, Buffer.from('€\r\n')]));
    const [known, ...more] = watcher.known;
    assert.deepEqual(more, []);
    assert.deepEqual(
      [known?.arguments, known?.state, known?.exitStatus, known?.mode, known?.size],
      [['cat', `--token=${SECRET}`], RecordingState.COMPLETE, 3, RecordingMode.OUTPUT, BigInt(first.size)],
    );
    for (const file of ['recordings.db', 'recordings.db-wal', 'ledger.db', 'ledger.db-wal'])
      assert.ok(!readFileSync(join(data, file)).includes(SECRET), file);
  });

  it('are followed while they run, by several, until all is there', async () => {
    const call = new RecordedCall(session);
    await call.append(device, [written('a')]);
    const watchers = [new RecordingWatcher(owner, call.id), new RecordingWatcher(owner, call.id)];
    for (const watcher of watchers) await watcher.until(({ output }) => output.equals(Buffer.from('a')), 'a');
    await call.append(device, [written('b')]);
    for (const watcher of watchers) await watcher.until(({ output }) => output.equals(Buffer.from('ab')), 'b');
    // The command is over, and the device has more to send.
    const rest = [written('c'), written('d')];
    const totalSize = call.size + framesOf(rest).length;
    await call.append(device, [], EXIT, totalSize);
    for (const watcher of watchers)
      await watcher.until(({ known }) => known.at(-1)?.state === RecordingState.COMPLETE, 'the state');
    assert.deepEqual(
      watchers.map(({ end }) => end),
      [undefined, undefined],
    );
    for (const one of rest) await call.append(device, [one], {}, totalSize);
    assert.equal(call.size, totalSize);
    for (const watcher of watchers) {
      await watcher.over();
      assert.deepEqual([watcher.end, watcher.output.toString()], [null, 'abcd']);
    }
  });

  it('come whole to somebody who reads slowly, and while somebody does, others go on', async () => {
    const call = new RecordedCall(session);
    await call.append(device, [written('begin')]);
    const slow = new RecordingWatcher(owner, call.id);
    await slow.until(({ events }) => events.length > 0, 'the first event');
    slow.stream.pause();
    const sent: Buffer[] = [Buffer.from('begin')];
    for (let part = 0; part < 40; part++) {
      const bytes = systemRandom.bytes(250_000);
      sent.push(bytes);
      await call.append(device, [written(bytes)]);
    }
    await call.append(device, [], EXIT);
    const quick = new RecordingWatcher(owner, call.id);
    await quick.over();
    assert.ok(quick.output.equals(Buffer.concat(sent)));
    assert.equal(slow.end, undefined);
    slow.stream.resume();
    await slow.over();
    assert.ok(slow.output.equals(Buffer.concat(sent)));
  });

  it('are watched over HTTP with bytes as base64', async () => {
    const call = new RecordedCall(session);
    await call.append(device, [written(Buffer.from('ff00fe', 'hex'))], EXIT);
    const client = new HttpClient(server.consoleUrl);
    const answer = await client.send('/api/curfew.admin.v1.RecordingService/WatchRecording', {
      method: 'POST',
      headers: { ...OWN_PAGE, authorization: `Bearer ${ownerToken}` },
      body: JSON.stringify({ recordingId: call.id }),
    });
    const [line = '', ...more] = answer.text.trim().split('\n');
    const message = JSON.parse(line) as { recording: { state: string }; events: unknown[] };
    assert.deepEqual(more, []);
    assert.equal(message.recording.state, 'RECORDING_STATE_COMPLETE');
    assert.deepEqual(message.events, [{ delay: '0.100s', terminalOutput: '/wD+' }]);
  });

  it('leave a trace of everybody who looks, before they see anything', async () => {
    const call = new RecordedCall(session);
    await call.append(device, [written('a')], EXIT);
    const before = (await audited('recording.')).length;
    await list();
    assert.equal((await audited('recording.')).length, before);
    const watcher = new RecordingWatcher(owner, call.id.slice(0, 14));
    const seen = new Promise<string[]>((resolve) => {
      watcher.stream.once('data', () => {
        resolve(audited('recording.watched'));
      });
    });
    assert.ok((await seen).includes(`user:owner ${call.id}`));
    await watcher.over();
    assert.equal((await audited('recording.')).length, before + 1);
    const unknown = new RecordingWatcher(owner, 'rec-00000000000000000000');
    await unknown.over();
    assert.equal(unknown.end?.code, 'RECORDING_NOT_FOUND');
    assert.equal((await audited('recording.')).length, before + 1);
  });

  it('are cut by the device, which is told so until the command is over', async () => {
    const call = new RecordedCall(session);
    await call.append(device, []);
    const toCut = (): readonly string[] => device.desired.at(-1)?.cutRecordingIds ?? [];
    assert.deepEqual(toCut(), []);
    const cut = () => owner.unary(service.cutRecording, CutRecordingRequest.fromPartial({ recordingId: call.id }));
    assert.equal((await cut()).recording?.state, RecordingState.RUNNING);
    await eventually(() => toCut().includes(call.id), { withinMs: 10_000, what: 'the wish at the device' });
    assert.ok(device.held.includes(session));
    await cut();
    await device.goOnline();
    assert.deepEqual(toCut(), [call.id]);
    assert.deepEqual(await audited('recording.cut'), [`user:owner ${call.id}`]);
    await call.append(device, [], { state: RecordingState.CUT_SHORT });
    await device.goOnline();
    assert.deepEqual(toCut(), []);
    assert.equal((await refusalOf(cut()))?.code, 'RECORDING_NOT_RUNNING');
  });

  const refusals: { name: string; code: string; attempt: (call: RecordedCall) => Promise<void> }[] = [
    { name: 'another device', code: 'SESSION_NOT_FOUND', attempt: (call) => call.append(other, [written('b')]) },
    {
      name: 'an id that another session has',
      code: 'RECORDING_INVALID',
      attempt: async (call) => {
        const theirs = await startSession(other, 'alice');
        await new RecordedCall(theirs, { id: call.id }).append(other, [written('b')]);
      },
    },
    {
      name: 'input, which is not recorded',
      code: 'RECORDING_INVALID',
      attempt: (call) =>
        call.append(device, [
          RecordedEvent.fromPartial({ event: { $case: 'terminalInput', value: Buffer.from('b') } }),
        ]),
    },
    {
      name: 'an event that says nothing',
      code: 'RECORDING_INVALID',
      attempt: (call) => call.append(device, [RecordedEvent.fromPartial({})]),
    },
    {
      name: 'other events than those before',
      code: 'RECORDING_INVALID',
      attempt: (call) => {
        call.size = 3;
        return call.append(device, [written('b')]);
      },
    },
    { name: 'an id that is none', code: 'FIELD_INVALID', attempt: (call) => call.append(device, [], { id: 'rec-1' }) },
  ];
  for (const { name, code, attempt } of refusals)
    it(`take nothing from ${name}`, async () => {
      const call = new RecordedCall(session);
      await call.append(device, [written('a')]);
      const before = await list();
      assert.equal((await refusalOf(attempt(call)))?.code, code);
      assert.deepEqual(await list(), before);
      const watcher = new RecordingWatcher(owner, before[0]?.id ?? '');
      await watcher.until(({ events }) => events.length > 0, 'the first event');
      assert.equal(watcher.output.toString(), 'a');
      watcher.stream.cancel();
    });

  it('do not hold up a revoke: it is answered while more and more is appended', async () => {
    const calls = Array.from({ length: 20 }, () => new RecordedCall(session));
    const answered = new Set<string>();
    const isAnswered = (): boolean => answered.size > 0;
    let [appended, after] = [0, 0];
    const flood = calls.map(async (call) => {
      while (!isAnswered()) {
        const refusal = await refusalOf(call.append(device, [written(Buffer.alloc(400_000))]));
        if (refusal !== undefined && !['TOO_MANY_CALLS', 'RECORDINGS_FULL'].includes(refusal.code))
          throw new Error(refusal.text);
        appended++;
        if (isAnswered()) after++;
      }
    });
    await eventually(() => appended >= 20, { withinMs: 30_000, what: 'a flood' });
    const { results } = await revokeAll();
    answered.add('revoke');
    assert.deepEqual(
      results.map(({ outcome }) => outcome),
      [RevokeOutcome.EFFECTIVE],
    );
    await Promise.all(flood);
    assert.ok(after > 0, 'appends were under way when the revoke was answered');
  });

  it('are missing where their file is damaged, and nothing else is', async () => {
    const call = new RecordedCall(session);
    await call.append(device, [written('a')]);
    device.goOffline();
    other.goOffline();
    owner.close();
    await server.close();
    const file = join(data, 'recordings.db');
    const whole = readFileSync(file);
    writeFileSync(file, Buffer.alloc(whole.length, 'x'));
    await startServer();
    await device.goOnline();
    assert.ok(device.held.includes(session));
    for (const attempt of [call.append(device, [written('b')]), list()])
      assert.equal((await refusalOf(attempt))?.code, 'RECORDINGS_UNAVAILABLE');
    const { results } = await revokeAll();
    assert.deepEqual(
      results.map(({ outcome }) => outcome),
      [RevokeOutcome.EFFECTIVE],
    );
    device.goOffline();
    owner.close();
    await server.close();
    writeFileSync(file, whole);
    await startServer();
    await device.goOnline();
    await other.goOnline();
    await call.append(device, [written('b')]);
    assert.equal(call.size, Number((await list())[0]?.size));
  });

  it('are of what operators give directly where the configuration says so', async () => {
    const strict = await startTestServer({ CURFEW_RECORDINGS_OF_DIRECT_GRANTS: 'commands' });
    const api = new ApiClient(strict.address, strict.running.caFile, { token: strict.ownerToken });
    const { secret } = await api.unary(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined });
    await api.unary(UserServiceService.createUser, { name: 'alice', displayName: '', role: Role.USER });
    const web = await ScriptedDevice.enroll(strict, secret, 'web-1', ['alice']);
    const wish = { user: 'alice', device: 'web-1', duration: { seconds: 60n, nanos: 0 }, reason: 'a look' };
    const { session: given } = await eventually(
      () => api.unary(SessionServiceService.grantSession, GrantSessionRequest.fromPartial(wish)),
      { withinMs: 10_000, what: 'a device that has reported its accounts' },
    );
    assert.equal(given?.recording?.mode, RecordingMode.COMMANDS);
    web.close();
    api.close();
    await strict.close();
  });

  it('outlive a ledger that is restored: what it knows is shown, and nothing is taken for what it has lost', async () => {
    const call = new RecordedCall(session);
    await call.append(device, [written('a')], EXIT);
    const backup = join(data, 'backup.db');
    await server.running.ledger.backup(backup);
    await revokeAll();
    const lost = await startSession(device, 'alice');
    const late = new RecordedCall(lost);
    await late.append(device, [written('b')]);
    device.goOffline();
    other.goOffline();
    owner.close();
    await server.close();
    const { note } = await openServerKeys(new SecretFiles(join(data, 'pki')));
    const fatal = (error: unknown) => assert.fail(String(error));
    const file = join(data, 'ledger.db');
    await restoreLedger(backup, { file, clock: new SystemClock(), random: systemRandom, noteKey: note, fatal });
    await startServer();
    await device.goOnline();
    await other.goOnline();
    assert.equal((await refusalOf(late.append(device, [written('c')])))?.code, 'SESSION_NOT_FOUND');
    assert.equal((await list()).length, 1);
    const [kept, orphan] = [new RecordingWatcher(owner, call.id), new RecordingWatcher(owner, late.id)];
    await kept.over();
    await orphan.until(({ events }) => events.length > 0, 'what was taken before');
    assert.deepEqual([kept.output.toString(), orphan.output.toString()], ['a', 'b']);
    orphan.stream.cancel();
  });
});
