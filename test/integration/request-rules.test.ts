import { DeviceServiceService, Role, UserServiceService } from '@curfew/proto';
import { METHOD_ACCESS, RequestRules } from '@curfew/server';
import assert from 'node:assert/strict';
import { ApiClient, asRefusal, refusalOf, type Refusal } from '../support/api-client.js';
import { ledgerAtRest, ledgerRows } from '../support/ledger-rows.js';
import { brokenRequests, curfewMethods, fittingRequest, pathOf, requestWith } from '../support/request-cases.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { MovableClock } from '../support/movable-clock.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

const SOON = { withinMs: 30_000 };

describe('the rules of the schema, over real gRPC', function () {
  this.timeout(60_000);
  const methods = curfewMethods().filter((method) => METHOD_ACCESS.has(pathOf(method)));
  let server: TestServer;
  let owner: ApiClient;
  let agent: ApiClient;
  let device: ScriptedDevice;
  // With time, the use of a token is written down, and what is done every minute.
  const clock = MovableClock.stopped();

  before(async () => {
    const limits = {
      CURFEW_LIMITS_DEVICE_MESSAGES_PER_SECOND: '100000',
      CURFEW_LIMITS_TOKEN_CALLS_PER_SECOND: '100000',
    };
    server = await startTestServer(limits, undefined, clock);
    owner = new ApiClient(server.address, server.running.caFile, { token: server.ownerToken });
    const { secret } = await owner.unary(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined });
    device = await ScriptedDevice.enroll(server, secret, 'web-1', ['alice']);
    const now = async () => (await owner.unary(DeviceServiceService.getDevice, { device: 'web-1' })).device;
    await eventually(async () => (await now())?.accounts.length === 1, { ...SOON, what: 'its report' });
    device.goOffline();
    await eventually(async () => (await now())?.online === false, { ...SOON, what: 'the end of its link' });
    await ledgerAtRest(server.running.ledger);
    agent = new ApiClient(server.address, server.running.caFile, device.identity);
  });
  after(async () => {
    owner.close();
    agent.close();
    device.close();
    clock.start();
    await server.close();
    clock.stop();
  });

  const dump = (): Promise<string> => ledgerRows(server.running.ledger);

  function send(path: string, bytes: Buffer): Promise<Refusal | undefined> {
    const client = METHOD_ACCESS.get(path) === 'device' ? agent : owner;
    const ended = (stream: { on(event: 'error', listener: (error: Error) => void): unknown }): Promise<Refusal> =>
      new Promise((resolve) => stream.on('error', (error) => resolve(asRefusal(error))));
    if (path.endsWith('/Connect')) {
      const stream = client.duplex(path);
      stream.write(bytes);
      return ended(stream);
    }
    return /\/(Watch|Export)/.test(path)
      ? ended(client.stream(path, bytes).resume())
      : refusalOf(client.bytes(path, bytes));
  }

  it('know a request of each method that keeps them all', () => {
    const rules = new RequestRules();
    for (const method of methods) rules.check(pathOf(method), fittingRequest(method));
  });

  for (const method of methods) {
    const cases = brokenRequests(method);
    if (cases.length === 0) continue;
    it(`${method.parent.name}/${method.name}: ${cases.length} ways to break one are refused by the field's name`, async () => {
      const before = await dump();
      for (const { field, what, bytes } of cases) {
        const refusal = await send(pathOf(method), bytes);
        assert.equal(refusal?.code, 'FIELD_INVALID', `${field} ${what}: ${refusal?.text ?? 'taken'}`);
        assert.equal(refusal.status, 'INVALID_ARGUMENT');
        assert.ok(refusal.text.startsWith(`${field}: `), `${field} ${what}: ${refusal.text}`);
        assert.ok(refusal.text.length > field.length + 10, refusal.text);
      }
      assert.equal(await dump(), before);
    });
  }

  it('are many', () => {
    assert.ok(methods.flatMap(brokenRequests).length > 250);
  });

  it('refuse texts by people that could lie to who reads them: escapes, line breaks, invisible and turning characters', async () => {
    const before = await dump();
    const texts = [
      'a\nb',
      'a\rb',
      'a\u001b[2Jb',
      'a\u009bb',
      '\u202egnihton',
      'a\u200bb',
      '\ufeffa',
      'a\u2028b',
      '\u0000',
      ' \u00a0',
    ];
    let count = 0;
    for (const method of methods)
      for (const { name } of method.input.fields.filter(({ name }) => /^(reason|label|display_name)$/.test(name)))
        for (const text of texts) {
          const refusal = await send(pathOf(method), requestWith(method, name, text));
          assert.equal(refusal?.code, 'FIELD_INVALID', `${method.name} ${JSON.stringify(text)}`);
          assert.match(refusal.text, new RegExp(`^${name}: must not (hold control or invisible characters|be blank)$`));
          count++;
        }
    assert.ok(count >= 80, `${count} texts`);
    assert.equal(await dump(), before);
  });

  it('take markup and formulas as the plain text that they are, and give them back unchanged', async () => {
    for (const label of [
      '<script>alert(1)</script>',
      "=cmd|' /C calc'!A0",
      '"; drop table session; --',
      '%n%s${x}',
      'né 😀',
    ]) {
      const wish = { user: '', label, scope: Role.UNSPECIFIED, ttl: undefined };
      const { apiToken } = await owner.unary(UserServiceService.createApiToken, wish);
      const { apiTokens } = await owner.unary(UserServiceService.listApiTokens, {});
      assert.equal(apiTokens.find(({ id }) => id === apiToken?.id)?.label, label);
    }
  });

  it('refuse what is no message at all, and fields of a wrong kind', async () => {
    const before = await dump();
    for (const hex of ['0a', 'ff', '0affffffffff7f', '0a02c328', '0b0b0b0b', '0affffffffffffffffff01', '00', '07']) {
      const refusal = await send('/curfew.admin.v1.RequestService/DenyAccessRequest', Buffer.from(hex, 'hex'));
      assert.equal(refusal?.code, 'FIELD_INVALID', hex);
    }
    assert.equal(await dump(), before);
  });

  it('read a message once: what is checked is what is done, however it was put on the wire', async () => {
    // ExtendSession 'by' in two pieces: 60 s, then nothing but nanos. Merged, as the wire format demands, it is a minute.
    const rules = new RequestRules();
    const path = '/curfew.admin.v1.SessionService/ExtendSession';
    const twice = Buffer.from('0a03616263' + '1202083c' + '12021000', 'hex');
    assert.equal(Buffer.from(rules.check(path, twice)).toString('hex'), '0a03616263' + '1202083c');
    const unknown = Buffer.from('0a03616263' + '1202083c' + '9a06017a', 'hex');
    assert.equal(Buffer.from(rules.check(path, unknown)).toString('hex'), '0a03616263' + '1202083c');
  });
});
