import {
  ConnectRequest,
  DeviceFacts,
  DeviceServiceService,
  DeviceState,
  EndReason,
  EnrollmentServiceService,
  LinkServiceService,
  Platform,
  Role,
  SessionServiceService,
  SessionState,
  UserServiceService,
} from '@curfew/proto';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { ApiClient, asRefusal, refusalOf, type Refusal } from '../support/api-client.js';
import { ledgerAtRest } from '../support/ledger-rows.js';
import { redeemJoinToken, ScriptedDevice } from '../support/scripted-device.js';
import { signingRequest } from '../support/test-certificates.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

describe('a device that was set up anew', function () {
  this.timeout(60_000);
  let server: TestServer;
  let operator: ApiClient;
  let former: ScriptedDevice;
  const open: { close(): void }[] = [];

  beforeEach(async () => {
    server = await startTestServer();
    operator = new ApiClient(server.address, server.running.caFile, { token: server.ownerToken });
    open.push(operator);
    former = await enrol(await token(), 'web-1');
    await operator.unary(UserServiceService.createUser, { name: 'alice', displayName: '', role: Role.USER });
  });
  afterEach(async () => {
    for (const each of open.splice(0)) each.close();
    await server.close();
  });

  const token = async (device?: string): Promise<string> =>
    (await operator.unary(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined, device })).secret;
  const enrol = async (secret: string, hostname: string): Promise<ScriptedDevice> => {
    const device = await ScriptedDevice.enroll(server, secret, hostname, ['alice']);
    open.push(device);
    return device;
  };
  const devices = async () => {
    const list = { filter: undefined, orderBy: '', pageSize: 0, pageToken: '' };
    return (await operator.unary(DeviceServiceService.listDevices, list)).devices;
  };
  const session = async (id: string) =>
    (await operator.unary(SessionServiceService.getSession, { sessionId: id })).session!;
  const become = (id: string, state: SessionState) =>
    eventually(async () => (await session(id)).state === state, { withinMs: 20_000, what: SessionState[state] });
  const active = async (): Promise<string> => {
    const wish = { user: 'alice', device: 'web-1', account: '', duration: { seconds: 600n, nanos: 0 } };
    const given = { ...wish, reason: 'why', resource: '', options: undefined };
    const { id } = (await operator.unary(SessionServiceService.grantSession, given)).session!;
    await become(id, SessionState.ACTIVE);
    return id;
  };
  /** How a stream that is opened with an identity ends. */
  const connectRefusal = (identity: ScriptedDevice['identity']): Promise<Refusal> =>
    new Promise((resolve) => {
      const client = new ApiClient(server.address, server.running.caFile, identity);
      open.push(client);
      const stream = client.duplex(LinkServiceService.connect.path);
      stream.on('error', (error) => resolve(asRefusal(error)));
      stream.on('data', () => assert.fail('an answer to a key that was replaced'));
      const random = (): string => randomBytes(16).toString('hex');
      const hello = { nonce: random(), instance: random(), bootId: 'boot' };
      const message = ConnectRequest.fromPartial({ message: { $case: 'hello', value: hello } });
      stream.write(Buffer.from(ConnectRequest.encode(message).finish()));
    });
  const picture = (): Promise<string> =>
    server.running.ledger.read(async (db) =>
      JSON.stringify([
        await db.selectFrom('device').selectAll().execute(),
        await db.selectFrom('join_token').selectAll().execute(),
        await db.selectFrom('audit_event').select('idx').execute(),
      ]),
    );

  it('goes on under its name with its new key alone; who was linked with the former one lets go within a second', async () => {
    const id = await active();
    const secret = await token('web-1');
    const [known] = await devices();
    const { identity } = await redeemJoinToken(server, secret, 'fresh-image');
    await eventually(() => former.ends.length > 0, { withinMs: 20_000, what: 'the end of the former link' });
    assert.equal(former.ends[0]?.code, 'DEVICE_KEY_REPLACED');
    assert.deepEqual([former.desired.at(-1)?.leases, former.desired.at(-1)?.keptSessionIds], [[], []]);
    assert.deepEqual([identity.deviceId, identity.deviceName], [former.id, 'web-1']);

    await become(id, SessionState.ENDED);
    const ended = await session(id);
    assert.deepEqual([ended.endReason, ended.endDetail], [EndReason.DEVICE_REMOVED, 'the device was enrolled anew']);
    const [device, ...others] = await devices();
    assert.deepEqual(others, []);
    assert.deepEqual([device?.id, device?.name, device?.enrolledTime], [known?.id, 'web-1', known?.enrolledTime]);
    assert.ok(device?.reEnrolledTime);
    assert.equal(device.facts?.hostname, 'fresh-image');
  });

  it('refuses the former key everywhere, and changes nothing for it', async () => {
    const fresh = await enrol(await token('web-1'), 'web-1');
    await eventually(() => former.ends.length > 0, { withinMs: 20_000 });
    await eventually(async () => (await devices()).every((device) => device.generation === device.appliedGeneration), {
      withinMs: 20_000,
      what: 'a device that has nothing more to say',
    });
    await ledgerAtRest(server.running.ledger);
    const before = await picture();
    const old = new ApiClient(server.address, server.running.caFile, former.identity);
    open.push(old);
    const csr = await signingRequest(former.identity.key);
    const wish = { account: former.account('alice'), requestId: 'req-00000000000000000000' };
    const refusals = [
      await connectRefusal(former.identity),
      await refusalOf(old.unary(LinkServiceService.startSession, wish)),
      await refusalOf(old.unary(EnrollmentServiceService.renew, { csr })),
    ];
    for (const refusal of refusals)
      assert.deepEqual([refusal?.status, refusal?.code], ['UNAUTHENTICATED', 'DEVICE_KEY_REPLACED']);
    assert.equal(await picture(), before);
    const joinToken = await token();
    const [facts, made] = [DeviceFacts.fromPartial({ hostname: 'web-1', platform: Platform.LINUX }), await picture()];
    const enrolled = refusalOf(operator.unary(EnrollmentServiceService.enroll, { joinToken, csr, facts }));
    assert.equal((await enrolled)?.code, 'DEVICE_KEY_TAKEN');
    assert.equal(await picture(), made, 'the token has its use still');
    assert.equal(fresh.ends.length, 0, 'the new link goes on');
  });

  it('gets nothing of before, and is given rights like any other; the two are no conflict', async () => {
    const old = await active();
    const fresh = await enrol(await token('web-1'), 'web-1');
    assert.deepEqual(
      fresh.desired.flatMap(({ leases, keptSessionIds }) => [...leases, ...keptSessionIds]),
      [],
    );
    const id = await active();
    assert.deepEqual(fresh.held, [id]);
    assert.notEqual(id, old);
    assert.equal(fresh.desired.at(-1)?.leases.length, 1);
    await assert.rejects(() => former.goOnline());
    assert.equal(former.ends.at(-1)?.code, 'DEVICE_KEY_REPLACED');
    assert.equal((await session(id)).state, SessionState.ACTIVE);
    assert.equal((await devices())[0]?.state, DeviceState.ENROLLED);
  });

  it('does not vouch for an installation that was out of reach', async () => {
    const id = await active();
    former.goOffline();
    const fresh = await enrol(await token('web-1'), 'web-1');
    await active();
    assert.equal(fresh.desired.at(-1)?.leases.length, 1);
    const ending = await session(id);
    assert.deepEqual([ending.state, ending.deviceOnline], [SessionState.ENDING, true]);
  });

  it('is one machine, however many come with its token at once', async () => {
    const secret = await token('web-1');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, at) => redeemJoinToken(server, secret, `web-${at}`)),
    );
    const [won, lost] = [
      outcomes.filter(({ status }) => status === 'fulfilled'),
      outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [asRefusal(outcome.reason as Error).code] : [])),
    ];
    assert.deepEqual([won.length, new Set(lost)], [1, new Set(['JOIN_TOKEN_INVALID'])]);
    assert.equal((await devices()).length, 1);
  });
});
