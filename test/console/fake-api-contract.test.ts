import { createFileRegistry, fromBinary, fromJson, type FileRegistry, type JsonValue } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { PASSWORD, setHealth } from '@curfew/console/fake-api';
import { descriptorSetPath } from '@curfew/proto';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { CONTRACT_CASES } from '../support/contract/all-cases.js';
import type { Caller, Kept } from '../support/contract/contract-case.js';
import { ConsoleHost } from '../support/console-host.js';
import { HttpClient, OWN_PAGE, type HttpAnswer } from '../support/http-client.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { startTestServer } from '../support/test-server.js';

/** A world that the cases run in: the people are signed in, and web-1 has accounts of alice and carol. */
interface ContractWorld {
  readonly clients: ReadonlyMap<Caller, HttpClient>;
  close(): Promise<void>;
}

const ROLES = {
  alice: 'ROLE_ADMIN',
  bob: 'ROLE_APPROVER',
  carol: 'ROLE_USER',
  erin: 'ROLE_VIEWER',
} as const;

async function answered(client: HttpClient, method: string, request: object): Promise<Record<string, unknown>> {
  const { status, text, json } = await client.call(method, request);
  assert.equal(status, 200, `${method}: ${text}`);
  return json ?? {};
}

async function fakeWorld(): Promise<ContractWorld> {
  const host = await ConsoleHost.start({ empty: true });
  const { world } = host.api;
  const account = (name: string, uid: number) => ({ name, uid, fingerprint: 'ab'.repeat(32) });
  world.putDevice({
    id: world.id('device'),
    name: 'web-1',
    state: 'DEVICE_STATE_ENROLLED',
    online: true,
    lastSeenTime: world.time(),
    enrolledTime: world.time(),
    facts: { hostname: 'web-1', platform: 'PLATFORM_LINUX' },
    accounts: [account('alice', 1000), account('carol', 1001)],
  });
  // Nothing outside exists in either world.
  setHealth(world, 'reporting', 'down');
  const clients = new Map<Caller, HttpClient>();
  for (const name of ['owner', ...Object.keys(ROLES)] as Caller[]) {
    const client = new HttpClient(host.address);
    assert.equal((await client.signIn(name, PASSWORD)).status, 200);
    clients.set(name, client);
  }
  return { clients, close: () => host.close() };
}

async function realWorld(): Promise<ContractWorld> {
  const server = await startTestServer({ CURFEW_LIMITS_UNKNOWN_CALLS_PER_MINUTE: '100000' });
  const clients = new Map<Caller, HttpClient>();
  const enter = async (name: Caller, given: string): Promise<HttpClient> => {
    const client = new HttpClient(server.consoleUrl);
    assert.equal((await client.signIn(name, given)).status, 200);
    const change = { currentPassword: given, newPassword: PASSWORD };
    await answered(client, 'SignInService/ChangePassword', change);
    clients.set(name, client);
    return client;
  };
  const owner = await enter('owner', server.ownerPassword);
  const { secret } = await answered(owner, 'DeviceService/CreateJoinToken', { uses: 1 });
  const device = await ScriptedDevice.enroll(server, String(secret), 'web-1', ['alice', 'carol']);
  for (const [name, role] of Object.entries(ROLES)) {
    await answered(owner, 'UserService/CreateUser', { name, role });
    const { password } = await answered(owner, 'SignInService/ResetPassword', { user: name });
    await enter(name as Caller, String(password));
  }
  return {
    clients,
    close: async () => {
      device.close();
      await server.close();
    },
  };
}

/** The value of a place in an answer, such as 'devices.0.name'. */
const valueAt = (answer: unknown, place: string): unknown =>
  place.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], answer);

const called = (client: HttpClient, method: string, body: object): Promise<HttpAnswer> => client.call(method, body);

/** Reads what a method goes on answering, until it says that it is synced, or ends. */
async function watched(client: HttpClient, method: string, body: object): Promise<HttpAnswer> {
  const answer = await client.open(`/api/curfew.admin.v1.${method}`, {
    method: 'POST',
    headers: { ...OWN_PAGE, origin: client.origin },
    body: JSON.stringify(body),
  });
  const [status, { headers }] = [answer.statusCode ?? 0, answer];
  let text = '';
  answer.setEncoding('utf8');
  for await (const piece of answer as AsyncIterable<string>) {
    text += piece;
    const lines = text.split('\n').slice(0, -1);
    if (status === 200 && lines.some((line) => line.includes('"synced":true'))) break;
  }
  answer.destroy();
  const json = status === 200 ? undefined : (JSON.parse(text) as Record<string, unknown>);
  return { status, headers, text: text.slice(0, text.lastIndexOf('\n') + 1) || text, json };
}

for (const [what, start] of [
  ['the fake API', fakeWorld],
  ['the real server', realWorld],
] as const)
  describe(`the contract of the console's API: ${what}`, function () {
    this.timeout(60_000);
    let world: ContractWorld;
    let registry: FileRegistry;
    const kept: Kept = new Map();

    before(async () => {
      registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptorSetPath)));
      world = await start();
    });
    after(() => world.close());

    /** Holds an answer against the schema: an unknown field or a value of another type throws. */
    const parse = (method: string, answer: JsonValue): void => {
      const [service = '', name = ''] = method.split('/');
      const found = registry.getService(`curfew.admin.v1.${service}`)?.methods.find((one) => one.name === name);
      assert.ok(found !== undefined, `there is no method ${method}`);
      fromJson(found.output, answer, { registry, ignoreUnknownFields: false });
    };

    for (const { name, as, method, request = {}, watches, refused, field, has = [], keeps = {} } of CONTRACT_CASES)
      it(`${name}: ${method} by ${as} ${refused === undefined ? 'is answered' : `is refused with ${refused}`}`, async () => {
        const client = world.clients.get(as);
        assert.ok(client);
        const body = typeof request === 'function' ? request(kept) : request;
        const { status, json, text } = await (watches === true ? watched : called)(client, method, body);
        if (refused !== undefined) {
          assert.deepEqual([json?.['code'], status >= 400], [refused, true], text);
          assert.equal(typeof json?.['message'], 'string');
          if (field !== undefined) assert.equal(json?.['field'], field, text);
          return;
        }
        assert.equal(status, 200, text);
        const messages =
          watches === true
            ? text
                .trim()
                .split('\n')
                .map((line) => JSON.parse(line) as JsonValue)
            : [json ?? {}];
        for (const message of messages) parse(method, message as JsonValue);
        for (const place of has)
          assert.ok(
            messages.some((message) => valueAt(message, place) !== undefined),
            `${place} in ${text.slice(0, 500)}`,
          );
        for (const [under, place] of Object.entries(keeps)) kept.set(under, String(valueAt(json, place)));
      });
  });
