import {
  ConnectRequest,
  DeviceServiceService,
  EnrollmentServiceService,
  LinkServiceService,
  ServerServiceService,
  SessionServiceService,
  type CreateAccessRequestRequest,
} from '@curfew/proto';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ApiClient, asRefusal, refusalOf, type ApiCaller, type Refusal } from '../support/api-client.js';
import { ledgerAtRest } from '../support/ledger-rows.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { freshKey, makeCertificate, signingRequest, type CertificateWish } from '../support/test-certificates.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

const LIST = { filter: undefined, orderBy: '', pageSize: 0, pageToken: '' };

describe('who a certificate is taken for', function () {
  this.timeout(60_000);
  let server: TestServer;
  let operator: ApiClient;
  let device: ScriptedDevice;
  let other: ScriptedDevice;
  let caKey: string;
  const clients: ApiClient[] = [];

  const client = (caller: ApiCaller): ApiClient => {
    const made = new ApiClient(server.address, server.running.caFile, caller);
    clients.push(made);
    return made;
  };

  before(async () => {
    server = await startTestServer();
    operator = client({ token: server.ownerToken });
    caKey = readFileSync(join(dirname(server.running.caFile), 'ca.key'), 'utf8');
    const { secret } = await operator.unary(DeviceServiceService.createJoinToken, { uses: 9, ttl: undefined });
    device = await ScriptedDevice.enroll(server, secret, 'web-1', ['alice']);
    other = await ScriptedDevice.enroll(server, secret, 'web-2', ['alice']);
    const settled = async (): Promise<boolean> => {
      const { devices } = await operator.unary(DeviceServiceService.listDevices, LIST);
      return devices.every(({ generation, appliedGeneration }) => generation === appliedGeneration);
    };
    await eventually(settled, { withinMs: 20_000, what: 'devices that have nothing more to say' });
    await ledgerAtRest(server.running.ledger);
  });
  after(async () => {
    for (const each of clients) each.close();
    device.close();
    other.close();
    await server.close();
  });

  const wish = (): CreateAccessRequestRequest => ({
    account: device.account('alice'),
    duration: { seconds: 60n, nanos: 0 },
    reason: 'why',
    options: undefined,
    ticket: '',
    breakGlass: false,
    resource: '',
    resourceAccount: '',
  });
  const connectRefusal = (caller: ApiCaller): Promise<Refusal> =>
    new Promise((resolve) => {
      const stream = client(caller).duplex(LinkServiceService.connect.path);
      stream.on('error', (error) => resolve(asRefusal(error)));
      stream.on('data', () => assert.fail('an answer to somebody who is nobody'));
      const random = (): string => randomBytes(16).toString('hex');
      const hello = { nonce: random(), instance: random(), bootId: 'boot' };
      const message = ConnectRequest.fromPartial({ message: { $case: 'hello', value: hello } });
      stream.write(Buffer.from(ConnectRequest.encode(message).finish()));
    });
  /** Everything that must stay as it is when somebody is refused. */
  const picture = (): Promise<string> =>
    server.running.ledger.read(async (db) =>
      JSON.stringify([
        await db.selectFrom('access_request').selectAll().execute(),
        await db.selectFrom('device').selectAll().orderBy('id').execute(),
        await db.selectFrom('audit_event').select('idx').execute(),
      ]),
    );

  const ca = (): CertificateWish['signer'] => ({ key: caKey, name: 'Curfew CA' });
  const strangers: { name: string; code: string; caller: () => Promise<ApiCaller> }[] = [
    { name: 'none', code: 'DEVICE_CERTIFICATE_REQUIRED', caller: async () => ({}) },
    {
      name: 'one that signed itself, under the name and key of a device',
      code: 'DEVICE_CERTIFICATE_REQUIRED',
      caller: () => makeCertificate({ name: device.id, key: device.identity.key }),
    },
    {
      name: 'one of another CA with the same name',
      // Its signature does not fit, so that no connection comes about.
      code: '',
      caller: async () =>
        makeCertificate({
          name: device.id,
          key: device.identity.key,
          signer: { key: await freshKey(), name: 'Curfew CA' },
        }),
    },
    {
      name: 'one that has run out',
      code: 'DEVICE_CERTIFICATE_REQUIRED',
      caller: () => makeCertificate({ name: device.id, key: device.identity.key, signer: ca()!, days: [-9, -1] }),
    },
    {
      name: 'one that is not valid yet',
      code: 'DEVICE_CERTIFICATE_REQUIRED',
      caller: () => makeCertificate({ name: device.id, key: device.identity.key, signer: ca()!, days: [1, 9] }),
    },
    {
      name: 'one for servers',
      code: 'DEVICE_CERTIFICATE_REQUIRED',
      caller: () => makeCertificate({ name: device.id, key: device.identity.key, signer: ca()!, usage: 'server' }),
    },
    {
      name: 'one with the name of a device and a key of its own',
      code: 'DEVICE_UNKNOWN',
      caller: () => makeCertificate({ name: device.id, signer: ca()! }),
    },
    {
      name: "the CA's own",
      code: 'DEVICE_CERTIFICATE_REQUIRED',
      caller: async () => ({ key: caKey, certificate: readFileSync(server.running.caFile, 'utf8') }),
    },
  ];
  for (const { name, code, caller } of strangers)
    it(`is nobody with ${name}`, async () => {
      const before = await picture();
      const stranger = await caller();
      const refusal = await refusalOf(client(stranger).unary(LinkServiceService.createAccessRequest, wish()));
      const expected = code === '' ? ['UNAVAILABLE', ''] : ['UNAUTHENTICATED', code];
      assert.deepEqual([refusal?.status, refusal?.code], expected);
      const link = await connectRefusal(stranger);
      assert.deepEqual([link.status, link.code], expected);
      assert.equal(await picture(), before);
    });

  it('is the device of its key, whatever name stands in it', async () => {
    const posing = await makeCertificate({ name: device.id, key: other.identity.key, signer: ca()! });
    const { request } = await client(posing).unary(LinkServiceService.createAccessRequest, wish());
    assert.equal(request?.deviceId, other.id);
  });

  it('is a device only to agents: no operator method takes it, and no agent method a token', async () => {
    const agent = client(device.identity);
    for (const { path } of [SessionServiceService.listSessions, ServerServiceService.getServerInfo])
      assert.equal((await refusalOf(agent.bytes(path, Buffer.of())))?.code, 'NOT_SIGNED_IN', path);
    const refusal = await refusalOf(operator.unary(LinkServiceService.createAccessRequest, wish()));
    assert.deepEqual([refusal?.status, refusal?.code], ['UNAUTHENTICATED', 'DEVICE_CERTIFICATE_REQUIRED']);
    assert.equal((await connectRefusal({ token: server.ownerToken })).code, 'DEVICE_CERTIFICATE_REQUIRED');
  });

  it('does not speak for another device: requests and sessions of others are not there for it', async () => {
    const made = await client(other.identity).unary(LinkServiceService.createAccessRequest, {
      ...wish(),
      account: { ...device.account('alice'), uid: 1_234, name: 'alice-2' },
    });
    const before = await picture();
    const theirs = {
      account: { ...device.account('alice'), uid: 1_234, name: 'alice-2' },
      requestId: made.request!.id,
    };
    for (const method of [LinkServiceService.cancelAccessRequest, LinkServiceService.startSession]) {
      const refusal = await refusalOf(client(device.identity).unary<typeof theirs, unknown>(method, theirs));
      assert.deepEqual([refusal?.status, refusal?.code], ['NOT_FOUND', 'REQUEST_NOT_FOUND']);
    }
    assert.equal(await picture(), before);
  });

  it('is nothing from the moment that the device is removed: link, calls and renewal end', async () => {
    const gone = client(other.identity);
    await operator.unary(DeviceServiceService.removeDevice, { device: other.id });
    const end = await eventually(() => other.ends.at(-1), { withinMs: 20_000, what: 'the end of the link' });
    assert.equal(end.code, 'DEVICE_REMOVED');
    await ledgerAtRest(server.running.ledger);
    const before = await picture();
    const refusals = [
      await refusalOf(gone.unary(LinkServiceService.createAccessRequest, wish())),
      await connectRefusal(other.identity),
      await refusalOf(gone.unary(EnrollmentServiceService.renew, { csr: await signingRequest(other.identity.key) })),
    ];
    for (const refusal of refusals)
      assert.deepEqual([refusal?.status, refusal?.code], ['UNAUTHENTICATED', 'DEVICE_REMOVED']);
    const { devices } = await operator.unary(DeviceServiceService.listDevices, LIST);
    assert.deepEqual(
      devices.map(({ id }) => id),
      [device.id],
    );
    assert.equal(await picture(), before);
  });

  it('is renewed for its own key only, and only to who holds the private one', async () => {
    const anybody = client({});
    const renew = (csr: Buffer) => refusalOf(anybody.unary(EnrollmentServiceService.renew, { csr }));
    assert.equal(await renew(await signingRequest(device.identity.key)), undefined);
    assert.equal((await renew(await signingRequest(await freshKey())))?.code, 'DEVICE_UNKNOWN');
    const forged = await signingRequest(device.identity.key);
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    assert.equal((await renew(forged))?.code, 'CSR_INVALID');
    assert.equal((await renew(Buffer.from('no request at all')))?.code, 'CSR_INVALID');
  });
});

describe('a certificate that is to be renewed', function () {
  this.timeout(60_000);

  it('is so for a device that has one still, whatever strangers at its address do', async () => {
    const server = await startTestServer({ CURFEW_LIMITS_UNKNOWN_CALLS_PER_MINUTE: '1' });
    const client = (caller: ApiCaller) => new ApiClient(server.address, server.running.caFile, caller);
    const operator = client({ token: server.ownerToken });
    const { secret } = await operator.unary(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined });
    const device = await ScriptedDevice.join(server, secret, 'web-1', ['alice']);
    const [stranger, agent] = [client({}), client(device.identity)];
    try {
      const csr = await signingRequest(device.identity.key);
      const renew = async (by: ApiClient) => (await refusalOf(by.unary(EnrollmentServiceService.renew, { csr })))?.code;
      assert.equal((await refusalOf(stranger.unary(ServerServiceService.getServerInfo, {})))?.code, 'NOT_SIGNED_IN');
      assert.equal(await renew(stranger), 'TOO_MANY_CALLS');
      assert.equal(await renew(agent), undefined);
    } finally {
      for (const each of [operator, stranger, agent, device]) each.close();
      await server.close();
    }
  });
});
