import {
  AccessServiceService,
  AuditServiceService,
  CreateApiTokenRequest,
  CreateMyRequestRequest,
  DeviceServiceService,
  GrantKind,
  ListAuditEventsRequest,
  ApplyPoliciesRequest,
  PolicyServiceService,
  PutConnectorRequest,
  PutResourceRequest,
  RequestServiceService,
  ResourceServiceService,
  Role,
  SessionKind,
  SessionState,
  TryResourceRequest,
  UserServiceService,
} from '@curfew/proto';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fakeConnectorKind } from '../support/fake-connector-kind.js';
import { FakeResource } from '../support/fake-resource.js';
import { OperatorClient } from '../support/operator-client.js';
import { ResourceOperator, these } from '../support/resource-operator.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

const LIFE = { seconds: 1_800n, nanos: 0 };
const SOON = { withinMs: 30_000 };

describe('connectors and resources', function () {
  this.timeout(60_000);
  let server: TestServer;
  let fake: FakeResource;
  let owner: ResourceOperator;

  before(async () => {
    fake = await new FakeResource().start();
    fake.people.add('alice');
    const env = { CURFEW_TIMED_ACCESS_ALLOW_LOCAL_TARGETS: 'true', CURFEW_LIMITS_TOKEN_CALLS_PER_SECOND: '100000' };
    server = await startTestServer(env, [fakeConnectorKind()]);
    owner = new ResourceOperator(server);
    for (const name of ['alice', 'bob']) await owner.user(name);
    await owner.connector('directory', fake.url);
  });
  after(async () => {
    owner.close();
    await server.close();
    await fake.stop();
  });

  const putConnector = (connector: object, secrets: Record<string, string> = { password: 'hunter2' }) =>
    owner.call(ResourceServiceService.putConnector, PutConnectorRequest.fromPartial({ connector, secrets }));
  const putResource = (resource: object) =>
    owner.call(ResourceServiceService.putResource, PutResourceRequest.fromPartial({ resource }));
  const connectors = async () => (await owner.call(ResourceServiceService.listConnectors, {})).connectors;
  const resources = async () => (await owner.call(ResourceServiceService.listResources, {})).resources;
  const typesOf = async (subject: string): Promise<string[]> => {
    const request = ListAuditEventsRequest.fromPartial({ pageSize: 1_000 });
    const { events } = await owner.call(AuditServiceService.listAuditEvents, request);
    return events.filter((event) => event.subject === subject).map(({ type }) => type);
  };

  it('says what kinds there are and what they need', async () => {
    const { kinds } = await owner.call(ResourceServiceService.listConnectorKinds, {});
    assert.deepEqual(
      kinds.map(({ kind, target }) => [kind, target.map(({ name }) => name)]),
      [
        ['device_group', ['device', 'group']],
        ['fake', ['group']],
      ],
    );
    assert.deepEqual(
      kinds[1]?.settings.map(({ name, required, secret }) => [name, required, secret]),
      [
        ['url', true, false],
        ['mode', false, false],
        ['password', true, true],
        ['note', false, true],
      ],
    );
  });

  const url = 'https://directory.example.com';
  const BAD_CONNECTORS: readonly { name: string; connector: object; secrets?: Record<string, string>; says: RegExp }[] =
    [
      { name: 'no name', connector: { kind: 'fake', settings: { url } }, says: /^name: is required/ },
      { name: 'no kind', connector: { name: 'new' }, says: /^kind: is required/ },
      { name: 'an unknown kind', connector: { name: 'new', kind: 'odd' }, says: /^kind: is not one of fake/ },
      {
        name: 'another kind',
        connector: { name: 'device_group', kind: 'fake', settings: { url } },
        says: /^name: stands for/,
      },
      { name: 'no address', connector: { name: 'new', kind: 'fake' }, says: /^settings\.url: is required/ },
      {
        name: 'a bad address',
        connector: { name: 'new', kind: 'fake', settings: { url: 'nowhere' } },
        says: /^settings\.url: is not an address/,
      },
      {
        name: 'an unknown setting',
        connector: { name: 'new', kind: 'fake', settings: { url, colour: 'red' } },
        says: /^settings\.colour: is not one of url, mode/,
      },
      {
        name: 'a secret as a setting',
        connector: { name: 'new', kind: 'fake', settings: { url, password: 'x' } },
        says: /^settings\.password: is not one of url, mode/,
      },
      {
        name: 'a value that is no choice',
        connector: { name: 'new', kind: 'fake', settings: { url, mode: 'loud' } },
        says: /^settings\.mode: is not one of plain, deaf/,
      },
      {
        name: 'control characters',
        connector: { name: 'new', kind: 'fake', settings: { url: `${url}/\u0007` } },
        says: /^settings\.url: has control characters/,
      },
      {
        name: 'no secret',
        connector: { name: 'new', kind: 'fake', settings: { url } },
        secrets: {},
        says: /^secrets\.password: is required/,
      },
      {
        name: 'an unknown secret',
        connector: { name: 'new', kind: 'fake', settings: { url } },
        secrets: { password: 'x', pin: '1' },
        says: /^secrets\.pin: is not one of password, note/,
      },
    ];
  for (const { name, connector, secrets, says } of BAD_CONNECTORS)
    it(`refuses a connector with ${name}, naming the field`, async () => {
      const before = await connectors();
      await assert.rejects(putConnector(connector, secrets), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'CONNECTOR_INVALID');
        assert.match(error.message, says);
        return true;
      });
      assert.deepEqual(await connectors(), before);
    });

  const BAD_RESOURCES: readonly { name: string; resource: object; code?: string; says: RegExp }[] = [
    { name: 'no name', resource: { connector: 'directory', target: { group: 'g' } }, says: /^name: is required/ },
    { name: 'no connector', resource: { name: 'new' }, says: /^connector: is required/ },
    {
      name: 'an unknown connector',
      resource: { name: 'new', connector: 'nothing' },
      code: 'CONNECTOR_NOT_FOUND',
      says: /nothing/,
    },
    { name: 'no target', resource: { name: 'new', connector: 'directory' }, says: /^target\.group: is required/ },
    {
      name: 'an unknown part of the target',
      resource: { name: 'new', connector: 'directory', target: { group: 'g', role: 'r' } },
      says: /^target\.role: is not one of group/,
    },
    {
      name: 'an unknown user',
      resource: {
        name: 'new',
        connector: 'directory',
        target: { group: 'g' },
        subjects: [{ user: 'nobody', subject: 'x' }],
      },
      code: 'USER_NOT_FOUND',
      says: /nobody/,
    },
    {
      name: 'somebody twice',
      resource: {
        name: 'new',
        connector: 'directory',
        target: { group: 'g' },
        subjects: [
          { user: 'alice', subject: 'x' },
          { user: 'ALICE', subject: 'y' },
        ],
      },
      says: /^subjects: name somebody twice/,
    },
    {
      name: 'a device that is not there',
      resource: { name: 'new', connector: 'device_group', target: { device: 'web-9', group: 'docker' } },
      code: 'DEVICE_NOT_FOUND',
      says: /web-9/,
    },
    {
      name: 'a group that cannot be one',
      resource: { name: 'new', connector: 'device_group', target: { device: 'web-9', group: '-a root' } },
      says: /^target\.group: is not the name of a group/,
    },
    {
      name: 'text that hides something',
      resource: { name: 'new', description: 'a\u202eb', connector: 'directory', target: { group: 'g' } },
      says: /^description: /,
    },
  ];
  for (const { name, resource, code = 'RESOURCE_INVALID', says } of BAD_RESOURCES)
    it(`refuses a resource with ${name}, naming the field`, async () => {
      const before = await resources();
      await assert.rejects(putResource(resource), (error: Error & { code?: string }) => {
        assert.equal(error.code, code);
        assert.match(error.message, says);
        return true;
      });
      assert.deepEqual(await resources(), before);
    });

  it('keeps secrets sealed, and shows only that they are there', async () => {
    const secrets = { password: 'correct-horse-battery', note: 'staple-staple' };
    await putConnector({ name: 'secretive', kind: 'fake', settings: { url: fake.url } }, secrets);
    const found = (await connectors()).find(({ name }) => name === 'secretive');
    assert.deepEqual(found?.secretsSet, ['note', 'password']);
    const { events } = await owner.call(
      AuditServiceService.listAuditEvents,
      ListAuditEventsRequest.fromPartial({ pageSize: 1_000 }),
    );
    const folder = (await server.running.ledger.read((db) =>
      db.selectFrom('connector').selectAll().execute(),
    )) as object;
    for (const text of [
      JSON.stringify(folder),
      JSON.stringify(events, (_, v: unknown) => (typeof v === 'bigint' ? 0 : v)),
    ])
      for (const secret of Object.values(secrets)) assert.ok(!text.includes(secret));
    const data = server.caFile.replace(/\/pki\/ca\.crt$/, '');
    for (const name of readdirSync(data).filter((file) => file.startsWith('ledger')))
      for (const secret of Object.values(secrets)) assert.ok(!readFileSync(join(data, name)).includes(secret), name);
    assert.deepEqual(await typesOf(found.id), ['connector.created']);
    await putConnector({ name: 'secretive', kind: 'fake', settings: { url: fake.url, mode: 'deaf' } }, { note: '' });
    const after = (await connectors()).find(({ name }) => name === 'secretive');
    assert.deepEqual([after?.secretsSet, after?.settings['mode']], [['password'], 'deaf']);
  });

  it('does not send a kept secret to another place', async () => {
    await putConnector({ name: 'moved', kind: 'fake', settings: { url: fake.url } });
    const elsewhere = { name: 'moved', kind: 'fake', settings: { url: 'https://elsewhere.example.com' } };
    await assert.rejects(putConnector(elsewhere, {}), (error: Error) => {
      assert.match(error.message, /^secrets\.password: must be given again when settings\.url changes/);
      return true;
    });
    assert.equal((await connectors()).find(({ name }) => name === 'moved')?.settings['url'], fake.url);
    await putConnector(elsewhere, { password: 'new' });
    await assert.rejects(putConnector({ ...elsewhere, kind: 'odd' }), { code: 'CONNECTOR_INVALID' });
    await owner.call(ResourceServiceService.deleteConnector, { connector: 'moved' });
    await owner.call(ResourceServiceService.deleteConnector, { connector: 'moved' });
    assert.ok(!(await connectors()).some(({ name }) => name === 'moved'));
  });

  it('changes a resource, but not what it is while there are sessions of it', async () => {
    const made = await owner.resource('ops', 'directory');
    assert.deepEqual([made.connector, made.connectorKind, made.liveSessions], ['directory', 'fake', 0]);
    const subjects = [{ user: 'bob', subject: 'robert' }];
    const changed = await owner.resource('OPS', 'directory', {
      description: 'On call',
      target: { group: 'ops' },
      subjects,
    });
    assert.deepEqual(
      [changed.id, changed.name, changed.description, changed.subjects],
      [made.id, 'OPS', 'On call', subjects],
    );
    await assert.rejects(owner.call(ResourceServiceService.deleteConnector, { connector: 'directory' }), {
      code: 'CONNECTOR_IN_USE',
    });
    const id = await owner.active('alice', 'ops');
    assert.equal((await owner.resourceNow('OPS')).liveSessions, 1);
    await assert.rejects(owner.resource('ops', 'directory', { target: { group: 'other' } }), {
      code: 'RESOURCE_IN_USE',
    });
    await assert.rejects(owner.call(ResourceServiceService.deleteResource, { resource: 'ops' }), {
      code: 'RESOURCE_IN_USE',
    });
    await owner.resource('ops', 'directory', { description: 'still', target: { group: 'ops' } });
    await owner.revoke(these(id), 20);
    await owner.call(ResourceServiceService.deleteResource, { resource: 'ops' });
    await owner.call(ResourceServiceService.deleteResource, { resource: 'ops' });
    assert.equal((await owner.session(id)).resourceName, 'ops', 'the history keeps its name');
    await assert.rejects(owner.grant('alice', 'ops'), { code: 'RESOURCE_NOT_FOUND' });
    const types = ['resource.created', 'resource.updated', 'resource.updated', 'resource.deleted'];
    assert.deepEqual((await typesOf(made.id)).sort(), types.sort());
    const again = await owner.resource('ops', 'directory');
    assert.notEqual(again.id, made.id);
    await owner.call(ResourceServiceService.deleteResource, { resource: 'ops' });
  });

  it('changes a connector, but not where it leads while there are sessions through it', async () => {
    const made = { name: 'leading', kind: 'fake', settings: { url: fake.url } };
    const there = async () => (await connectors()).find(({ name }) => name === 'leading');
    await putConnector(made);
    await owner.resource('led', 'leading');
    const id = await owner.active('alice', 'led');
    const before = await there();
    await assert.rejects(putConnector({ ...made, settings: { url: 'https://elsewhere.example.com' } }), {
      code: 'RESOURCE_IN_USE',
    });
    assert.deepEqual(await there(), before);
    assert.deepEqual(await typesOf(before?.id ?? ''), ['connector.created']);
    assert.equal((await owner.session(id)).state, SessionState.ACTIVE);
    await putConnector({ ...made, settings: { url: fake.url, mode: 'deaf' } });
    await putConnector({ ...made, disabled: true });
    await putConnector(made);
    await owner.revoke(these(id), 20);
    await putConnector({ ...made, settings: { url: 'https://elsewhere.example.com' } });
    assert.equal((await there())?.settings['url'], 'https://elsewhere.example.com');
    await owner.call(ResourceServiceService.deleteResource, { resource: 'led' });
    await owner.call(ResourceServiceService.deleteConnector, { connector: 'leading' });
  });

  it('is for those whose role says so', async () => {
    await owner.resource('roles', 'directory');
    const connector = { connector: { name: 'roles', kind: 'fake', settings: { url } }, secrets: { password: 'x' } };
    const resource = { resource: { name: 'roles', connector: 'directory', target: { group: 'roles' } } };
    const calls: readonly [Role, (client: OperatorClient) => Promise<unknown>][] = [
      [Role.VIEWER, (one) => one.call(ResourceServiceService.listConnectorKinds, {})],
      [Role.VIEWER, (one) => one.call(ResourceServiceService.listConnectors, {})],
      [Role.VIEWER, (one) => one.call(ResourceServiceService.listResources, {})],
      [Role.ADMIN, (one) => one.call(ResourceServiceService.putConnector, PutConnectorRequest.fromPartial(connector))],
      [Role.ADMIN, (one) => one.call(ResourceServiceService.deleteConnector, { connector: 'roles' })],
      [Role.ADMIN, (one) => one.call(ResourceServiceService.putResource, PutResourceRequest.fromPartial(resource))],
      [
        Role.ADMIN,
        (one) =>
          one.call(
            ResourceServiceService.tryResource,
            TryResourceRequest.fromPartial({ which: { $case: 'resource', value: 'roles' } }),
          ),
      ],
      [Role.ADMIN, (one) => one.call(ResourceServiceService.compareResource, { resource: 'roles' })],
      [Role.ADMIN, (one) => one.call(ResourceServiceService.deleteResource, { resource: 'roles' })],
    ];
    for (const scope of [Role.USER, Role.VIEWER, Role.APPROVER, Role.ADMIN]) {
      const wish = CreateApiTokenRequest.fromPartial({ user: 'owner', label: 'role', scope, ttl: LIFE });
      const { secret } = await owner.call(UserServiceService.createApiToken, wish);
      const client = new OperatorClient({ ...server, ownerToken: secret });
      for (const [least, call] of calls)
        if (scope >= least) await call(client);
        else await assert.rejects(call(client), { code: 'METHOD_NOT_ALLOWED' });
      client.close();
    }
  });

  it('keeps connectors away from the own machine, unless an option allows it', async () => {
    const strict = await startTestServer({}, [fakeConnectorKind()]);
    const other = new ResourceOperator(strict);
    await assert.rejects(other.connector('local', 'http://127.0.0.1:1'), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'TARGET_NOT_ALLOWED');
      assert.match(error.message, /^settings\.url: .*timed_access\.allow_local_targets/);
      return true;
    });
    other.close();
    await strict.close();
  });

  describe('a group of a device', () => {
    let device: ScriptedDevice;

    before(async () => {
      const { secret } = await owner.call(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined });
      device = await ScriptedDevice.enroll(server, secret, 'web-1', ['alice', 'bob']);
      await putResource({ name: 'docker', connector: 'device_group', target: { device: 'web-1', group: 'docker' } });
    });
    after(() => {
      device.close();
    });

    it('is a lease of the device for that group', async () => {
      const found = await owner.resourceNow('docker');
      assert.deepEqual(
        [found.connector, found.connectorKind, found.target],
        ['device_group', 'device_group', { device: 'web-1', group: 'docker' }],
      );
      const id = await owner.active('alice', 'docker');
      const session = await owner.session(id);
      assert.deepEqual(
        [session.kind, session.deviceName, session.resourceName, session.account?.name, session.resourceSubject],
        [SessionKind.TIMED_ACCESS, 'web-1', 'docker', 'alice', 'alice'],
      );
      assert.deepEqual([session.options?.kind, session.options?.group], [GrantKind.GROUP_MEMBERSHIP, 'docker']);
      assert.equal(session.deviceOnline, true);
      await assert.rejects(owner.grant('alice', 'docker'), { code: 'SESSION_ALREADY_LIVE' });
      await putResource({
        name: 'docker-too',
        connector: 'device_group',
        target: { device: 'web-1', group: 'docker' },
      });
      await assert.rejects(owner.grant('alice', 'docker-too'), { code: 'SESSION_ALREADY_LIVE' });
      await putResource({ name: 'libvirt', connector: 'device_group', target: { device: 'web-1', group: 'libvirt' } });
      const second = await owner.active('alice', 'libvirt');
      await owner.revoke({ $case: 'resource', value: 'docker' }, 20);
      assert.equal((await owner.session(id)).state, SessionState.ENDED);
      assert.equal((await owner.session(second)).state, SessionState.ACTIVE);
      await owner.revoke({ $case: 'device', value: 'web-1' }, 20);
      assert.equal((await owner.session(second)).state, SessionState.ENDED);
    });

    it('starts at the approval, on the account of whoever asked', async () => {
      const text = 'policies:\n- name: groups\n  effect: allow\n  resource: { names: [docker] }\n';
      await owner.call(PolicyServiceService.applyPolicies, ApplyPoliciesRequest.fromPartial({ text }));
      const wish = CreateApiTokenRequest.fromPartial({ user: 'bob', label: 'test', scope: Role.USER, ttl: LIFE });
      const { secret } = await owner.call(UserServiceService.createApiToken, wish);
      const bob = new OperatorClient({ ...server, ownerToken: secret });
      const ask = CreateMyRequestRequest.fromPartial({ resource: 'docker', duration: LIFE, reason: 'a look' });
      const { request } = await bob.call(AccessServiceService.createMyRequest, ask);
      const approval = { requestId: request?.id ?? '', reason: '', duration: undefined };
      const approved = await owner.call(RequestServiceService.approveAccessRequest, approval);
      const session = await owner.until(approved.request?.sessionId ?? '', SessionState.ACTIVE);
      assert.deepEqual([session.account?.name, session.options?.group], ['bob', 'docker']);
      await bob.call(AccessServiceService.endMySession, { sessionId: session.id });
      await owner.until(session.id, SessionState.ENDED);
      bob.close();
      await eventually(() => (device.desired.at(-1)?.leases.length ?? 0) === 0, SOON);
    });
  });
});
