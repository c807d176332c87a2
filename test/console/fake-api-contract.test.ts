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
import { ScriptedRecording } from '../support/scripted-recording.js';
import { startTestServer } from '../support/test-server.js';

/** A world that the cases run in: the people are signed in, and web-1 has accounts of alice and carol. */
interface ContractWorld {
  readonly clients: ReadonlyMap<Caller, HttpClient>;
  /** Records a call of sudo in a session of web-1. Gives its id. */
  record(sessionId: string, state: 'running' | 'complete'): Promise<string>;
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
  const record = async (sessionId: string, state: 'running' | 'complete'): Promise<string> => {
    const id = world.id('recording');
    world.putRecording({
      recording: {
        id,
        sessionId,
        command: '/usr/bin/id',
        arguments: ['id'],
        startTime: world.time(),
        mode: 'RECORDING_MODE_OUTPUT',
        ...(state === 'running'
          ? { state: 'RECORDING_STATE_RUNNING' }
          : { state: 'RECORDING_STATE_COMPLETE', runTime: '1s' }),
        size: '9',
      },
      events: [{ delay: '0.5s', terminalOutput: 'aGk=' }],
    });
    return id;
  };
  return { clients, record, close: () => host.close() };
}

async function realWorld(): Promise<ContractWorld> {
  const server = await startTestServer({
    CURFEW_LIMITS_UNKNOWN_CALLS_PER_MINUTE: '100000',
    CURFEW_RECORDINGS_OF_DIRECT_GRANTS: 'output',
  });
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
    record: async (sessionId, state) => {
      const recording = new ScriptedRecording(device, sessionId);
      await recording.write('hi', state === 'complete');
      return recording.id;
    },
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

/** Whether one of the messages has the place. */
const isIn = (messages: readonly unknown[], place: string): boolean =>
  messages.some((message) => valueAt(message, place) !== undefined);

const messagesIn = (text: string): JsonValue[] =>
  text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JsonValue);

/** Reads what a method goes on answering, until it has said what is wanted or that it is synced, or ends. */
async function watched(
  client: HttpClient,
  method: string,
  body: object,
  wanted: readonly string[],
): Promise<HttpAnswer> {
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
    if (status !== 200) continue;
    const messages = messagesIn(text);
    if (isIn(messages, 'synced') || (wanted.length > 0 && wanted.every((place) => isIn(messages, place)))) break;
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

    for (const {
      name,
      as,
      method,
      request = {},
      watches,
      records,
      refused,
      field,
      has = [],
      keeps = {},
    } of CONTRACT_CASES)
      it(`${name}: ${method} by ${as} ${refused === undefined ? 'is answered' : `is refused with ${refused}`}`, async () => {
        const client = world.clients.get(as);
        assert.ok(client);
        if (records !== undefined) kept.set('recording', await world.record(kept.get('given') ?? '', records));
        const body = typeof request === 'function' ? request(kept) : request;
        const { status, json, text } = await (watches === true ? watched : called)(client, method, body, has);
        if (refused !== undefined) {
          assert.deepEqual([json?.['code'], status >= 400], [refused, true], text);
          assert.equal(typeof json?.['message'], 'string');
          if (field !== undefined) assert.equal(json?.['field'], field, text);
          return;
        }
        assert.equal(status, 200, text);
        const messages = watches === true ? messagesIn(text) : [json ?? {}];
        for (const message of messages) parse(method, message as JsonValue);
        for (const place of has) assert.ok(isIn(messages, place), `${place} in ${text.slice(0, 500)}`);
        for (const [under, place] of Object.entries(keeps)) kept.set(under, String(valueAt(json, place)));
      });
  });
