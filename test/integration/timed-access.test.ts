import {
  AccessServiceService,
  ApplyPoliciesRequest,
  AuditServiceService,
  CreateApiTokenRequest,
  CreateMyRequestRequest,
  EndReason,
  ExplainAccessRequest,
  ListAccessRequestsRequest,
  ListAuditEventsRequest,
  ListSessionsRequest,
  PolicyServiceService,
  RequestServiceService,
  ResourceServiceService,
  RevokeOutcome,
  Role,
  SessionKind,
  SessionServiceService,
  SessionState,
  TryResourceRequest,
  UpdateUserRequest,
  UserServiceService,
} from '@curfew/proto';
import assert from 'node:assert/strict';
import { fakeConnectorKind } from '../support/fake-connector-kind.js';
import { FakeResource } from '../support/fake-resource.js';
import { OperatorClient } from '../support/operator-client.js';
import { ResourceOperator, these } from '../support/resource-operator.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

const SOON = { withinMs: 30_000 };
const MINUTES_30 = { seconds: 1_800n, nanos: 0 };

describe('timed access', function () {
  this.timeout(60_000);
  let server: TestServer;
  let resource: FakeResource;
  let owner: ResourceOperator;

  before(async () => {
    resource = await new FakeResource().start();
    for (const name of ['alice', 'bob', 'carol']) resource.people.add(name);
    const env = { CURFEW_TIMED_ACCESS_ALLOW_LOCAL_TARGETS: 'true', CURFEW_LIMITS_TOKEN_CALLS_PER_SECOND: '100000' };
    server = await startTestServer(env, [fakeConnectorKind()]);
    owner = new ResourceOperator(server);
    for (const name of ['alice', 'bob', 'carol', 'dora']) await owner.user(name);
    await owner.connector('directory', resource.url);
    for (const name of ['ops', 'db']) await owner.resource(name, 'directory');
  });
  after(async () => {
    owner.close();
    await server.close();
    await resource.stop();
  });

  /** Somebody's own calls. */
  async function as(user: string): Promise<OperatorClient> {
    const wish = CreateApiTokenRequest.fromPartial({ user, label: 'test', scope: Role.USER, ttl: MINUTES_30 });
    const { secret } = await owner.call(UserServiceService.createApiToken, wish);
    return new OperatorClient({ ...server, ownerToken: secret });
  }
  const events = async (subject: string): Promise<string[]> => {
    const request = ListAuditEventsRequest.fromPartial({ pageSize: 1_000 });
    const found = await owner.call(AuditServiceService.listAuditEvents, request);
    return found.events
      .filter((event) => event.subject === subject)
      .sort((a, b) => Number(a.index - b.index))
      .map(({ type }) => type);
  };

  it('gives a resource, and takes it away when it is revoked', async () => {
    const id = await owner.grant('alice', 'ops');
    const active = await owner.until(id, SessionState.ACTIVE);
    assert.equal(resource.has('ops', 'alice'), true);
    assert.equal(resource.has('db', 'alice'), false);
    assert.deepEqual(
      [active.kind, active.resourceName, active.resourceSubject, active.deviceId, active.account, active.options],
      [SessionKind.TIMED_ACCESS, 'ops', 'alice', '', undefined, undefined],
    );
    const add = resource.asked.find(({ call }) => call === 'add');
    assert.equal(add?.until, active.expireTime?.getTime(), 'the resource is told when it ends');
    const [result] = await owner.revoke(these(id), 20);
    assert.equal(result?.outcome, RevokeOutcome.EFFECTIVE);
    assert.equal(resource.has('ops', 'alice'), false);
    const ended = await owner.session(id);
    assert.deepEqual([ended.state, ended.endReason], [SessionState.ENDED, EndReason.REVOKED]);
    const types = ['session.starting', 'session.granting', 'session.active', 'session.revoked', 'session.ended'];
    assert.deepEqual(await events(id), types);
    assert.equal(resource.count('add', 'alice'), 1);
    assert.equal(resource.count('remove', 'alice'), 1);
  });

  it('ends by itself on time', async () => {
    const id = await owner.grant('alice', 'ops', 4);
    const ended = await owner.until(id, SessionState.ENDED);
    assert.equal(ended.endReason, EndReason.EXPIRED);
    assert.ok((await events(id)).includes('session.active'));
    assert.equal(resource.has('ops', 'alice'), false);
  });

  it('refuses a session for what somebody has already, and never takes that away', async () => {
    resource.members('ops').add('id-bob');
    const id = await owner.grant('bob', 'ops');
    const ended = await owner.until(id, SessionState.ENDED);
    assert.equal(ended.endReason, EndReason.FAILED);
    assert.match(ended.endDetail, /^RESOURCE_HELD_BY_HAND: 'bob' has the resource 'ops' already/);
    assert.equal(resource.has('ops', 'bob'), true);
    assert.deepEqual([resource.count('add', 'bob'), resource.count('remove', 'bob')], [0, 0]);
    resource.members('ops').delete('id-bob');
  });

  it('says that a resource does not know somebody, and who is meant', async () => {
    const id = await owner.grant('dora', 'ops');
    const ended = await owner.until(id, SessionState.ENDED);
    assert.equal(ended.endReason, EndReason.FAILED);
    assert.match(ended.endDetail, /^RESOURCE_SUBJECT_UNKNOWN: .*dora/);
    await owner.resource('ops', 'directory', { subjects: [{ user: 'dora', subject: 'carol' }] });
    const named = await owner.active('dora', 'ops');
    assert.equal(resource.has('ops', 'carol'), true);
    const taken = await owner.until(await owner.grant('carol', 'ops'), SessionState.ENDED);
    assert.match(taken.endDetail, /^SESSION_ALREADY_LIVE/, 'one subject has it once');
    assert.equal(resource.has('ops', 'carol'), true);
    await owner.revoke(these(named), 20);
    assert.equal(resource.has('ops', 'carol'), false);
  });

  it('has one live session for each user and resource', async () => {
    const id = await owner.active('alice', 'ops');
    await assert.rejects(owner.grant('alice', 'ops'), { code: 'SESSION_ALREADY_LIVE' });
    const other = await owner.active('alice', 'db');
    await owner.revoke(these(id), 20);
    assert.deepEqual([resource.has('ops', 'alice'), resource.has('db', 'alice')], [false, true]);
    await owner.revoke(these(other), 20);
  });

  it('lengthens a session, and tells the resource', async () => {
    const id = await owner.active('alice', 'ops');
    await owner.call(SessionServiceService.extendSession, { sessionId: id, by: MINUTES_30 });
    const { expireTime } = await owner.session(id);
    await eventually(
      () => resource.asked.some((one) => one.call === 'add' && one.until === expireTime?.getTime()),
      SOON,
    );
    await owner.revoke(these(id), 20);
    assert.equal(resource.has('ops', 'alice'), false);
  });

  it('is revoked by user, by resource and all at once', async () => {
    const give = async () => [
      await owner.active('alice', 'ops'),
      await owner.active('alice', 'db'),
      await owner.active('bob', 'ops'),
    ];
    const ids = await give();
    const byResource = await owner.revoke({ $case: 'resource', value: 'ops' }, 20);
    assert.deepEqual(byResource.map(({ session }) => session?.id).sort(), [ids[0], ids[2]].sort());
    assert.deepEqual([...resource.members('ops')], []);
    await owner.revoke({ $case: 'user', value: 'alice' }, 20);
    assert.deepEqual([...resource.members('db')], []);
    await give();
    await owner.revoke({ $case: 'everything', value: true }, 20);
    assert.deepEqual([...resource.members('ops'), ...resource.members('db')], []);
    await assert.rejects(owner.revoke({ $case: 'resource', value: 'nothing' }), { code: 'RESOURCE_NOT_FOUND' });
  });

  it('ends with the user who is disabled', async () => {
    const id = await owner.active('carol', 'ops');
    const change = UpdateUserRequest.fromPartial({ user: 'carol', disabled: true });
    await owner.call(UserServiceService.updateUser, change);
    await owner.until(id, SessionState.ENDED);
    assert.equal(resource.has('ops', 'carol'), false);
    await assert.rejects(owner.grant('carol', 'ops'), { code: 'USER_DISABLED' });
  });

  it('is found by kind, resource and text, and ordered by what it is for', async () => {
    const ids = [await owner.active('alice', 'ops'), await owner.active('bob', 'db')];
    const list = async (filter: object, orderBy = '') => {
      const request = ListSessionsRequest.fromPartial({ filter, orderBy });
      const { sessions, totalSize } = await owner.call(SessionServiceService.listSessions, request);
      assert.equal(BigInt(sessions.length), BigInt(totalSize));
      return sessions.map(({ id }) => id);
    };
    assert.deepEqual(await list({ resource: 'ops' }), [ids[0]]);
    assert.deepEqual(await list({ text: 'DB' }), [ids[1]]);
    assert.deepEqual(await list({ kind: SessionKind.DEVICE_ADMIN }), []);
    assert.deepEqual(await list({ kind: SessionKind.TIMED_ACCESS }, 'resource_name'), [ids[1], ids[0]]);
    assert.deepEqual(await list({}, 'device_name desc'), ids);
    await assert.rejects(list({ resource: 'nothing' }), { code: 'RESOURCE_NOT_FOUND' });
    await owner.revoke({ $case: 'everything', value: true }, 20);
  });

  it('asks for exactly one of device and resource', async () => {
    const wish = { user: 'alice', account: '', duration: MINUTES_30, reason: 'why', options: undefined };
    for (const [device, resource] of [
      ['', ''],
      ['web-1', 'ops'],
    ] as const)
      await assert.rejects(owner.call(SessionServiceService.grantSession, { ...wish, device, resource }), {
        code: 'FIELD_INVALID',
      });
  });

  describe('by request', () => {
    let alice: OperatorClient;

    before(async () => {
      alice = await as('alice');
      const text = `policies:
- name: ops-for-all
  effect: allow
  resource: { names: [ops] }
  max_duration: 1h
- name: db-at-once
  effect: allow
  resource: { names: [db] }
  auto_approval: {}
`;
      await owner.call(PolicyServiceService.applyPolicies, ApplyPoliciesRequest.fromPartial({ text }));
    });
    after(() => {
      alice.close();
    });

    const ask = async (name: string) => {
      const wish = { resource: name, duration: MINUTES_30, reason: 'a look' };
      const { request } = await alice.call(
        AccessServiceService.createMyRequest,
        CreateMyRequestRequest.fromPartial(wish),
      );
      assert.ok(request);
      return request;
    };

    it('shows people what they may ask for', async () => {
      await owner.resource('secret', 'directory');
      const { targets } = await alice.call(AccessServiceService.listMyTargets, {});
      assert.deepEqual(
        targets.map(({ resourceName }) => resourceName),
        ['db', 'ops'],
      );
      const explained = await owner.call(
        PolicyServiceService.explainAccess,
        ExplainAccessRequest.fromPartial({ user: 'alice', resource: 'secret' }),
      );
      assert.equal(explained.answer?.allowed, false);
      await assert.rejects(ask('secret'), { code: 'POLICY_DENIES' });
      await assert.rejects(ask('nothing'), { code: 'RESOURCE_NOT_FOUND' });
    });

    it('starts at the approval, and is given back by the person', async () => {
      const { id, resourceName } = await ask('ops');
      assert.equal(resourceName, 'ops');
      await assert.rejects(ask('ops'), { code: 'REQUEST_ALREADY_OPEN' });
      assert.equal(resource.has('ops', 'alice'), false);
      const approval = { requestId: id, reason: 'fine', duration: undefined };
      const { request } = await owner.call(RequestServiceService.approveAccessRequest, approval);
      assert.notEqual(request?.sessionId, '');
      const session = await owner.until(request?.sessionId ?? '', SessionState.ACTIVE);
      assert.deepEqual([session.requestId, session.policyName], [id, 'ops-for-all']);
      assert.equal(resource.has('ops', 'alice'), true);
      await alice.call(AccessServiceService.endMySession, { sessionId: session.id });
      const ended = await owner.until(session.id, SessionState.ENDED);
      assert.equal(ended.endReason, EndReason.ENDED_BY_USER);
      assert.equal(resource.has('ops', 'alice'), false);
    });

    it('is found by its resource among the requests', async () => {
      const { id } = await ask('ops');
      const list = async (filter: object): Promise<string[]> => {
        const request = ListAccessRequestsRequest.fromPartial({ filter });
        return (await owner.call(RequestServiceService.listAccessRequests, request)).requests.map((one) => one.id);
      };
      assert.deepEqual(await list({ resource: 'OPS' }), [id]);
      assert.deepEqual(await list({ resource: 'db' }), []);
      assert.deepEqual(await list({ resource: 'ops', user: 'bob' }), []);
      await assert.rejects(list({ resource: 'nothing' }), { code: 'RESOURCE_NOT_FOUND' });
      await alice.call(AccessServiceService.cancelMyRequest, { requestId: id });
      assert.deepEqual(await list({ resource: 'ops' }), []);
    });

    it('starts at once where a policy approves by itself', async () => {
      const { sessionId } = await ask('db');
      await owner.until(sessionId, SessionState.ACTIVE);
      await owner.revoke(these(sessionId), 20);
      assert.equal(resource.has('db', 'alice'), false);
    });

    it('does not start what was closed meanwhile, and says so to the approver', async () => {
      const { id } = await ask('ops');
      await owner.resource('ops', 'directory', { disabled: true });
      const approval = { requestId: id, reason: 'fine', duration: undefined };
      const approve = () => owner.call(RequestServiceService.approveAccessRequest, approval);
      await assert.rejects(approve(), { code: 'RESOURCE_DISABLED' });
      await owner.resource('ops', 'directory');
      await owner.connector('directory', resource.url, { disabled: true });
      await assert.rejects(approve(), { code: 'CONNECTOR_DISABLED' });
      await owner.connector('directory', resource.url);
      const { request } = await owner.call(RequestServiceService.getAccessRequest, { requestId: id });
      assert.equal(request?.sessionId, '');
      await approve();
      await owner.revoke({ $case: 'everything', value: true }, 20);
    });
  });

  it('still takes away through a connector that is disabled, and gives nothing', async () => {
    const id = await owner.active('alice', 'ops');
    await owner.connector('directory', resource.url, { disabled: true });
    await assert.rejects(owner.grant('bob', 'ops'), { code: 'CONNECTOR_DISABLED' });
    await owner.revoke(these(id), 20);
    assert.equal(resource.has('ops', 'alice'), false);
    await owner.connector('directory', resource.url);
  });

  it('tries a resource that is there and one that could be, and writes nothing', async () => {
    const before = resource.count('add') + resource.count('remove');
    const tryOne = (which: TryResourceRequest['which'], user = '') =>
      owner.call(ResourceServiceService.tryResource, { which, user });
    const found = await tryOne({ $case: 'resource', value: 'ops' }, 'alice');
    assert.deepEqual(
      [found.ok, found.description, found.subject, found.has, found.findings],
      [true, "group 'ops' with 0 members", 'alice', false, ['It is a fake.']],
    );
    const { which } = TryResourceRequest.fromPartial({
      which: { $case: 'candidate', value: { connector: 'directory', target: { group: 'new' } } },
    });
    assert.equal((await tryOne(which)).description, "group 'new' with 0 members");
    resource.treat = () => 'refuse';
    const refused = await tryOne({ $case: 'resource', value: 'ops' });
    resource.treat = () => 'do';
    assert.deepEqual([refused.ok, refused.problem], [false, 'not allowed']);
    assert.equal(resource.count('add') + resource.count('remove'), before);
    await assert.rejects(tryOne({ $case: 'resource', value: 'nothing' }), { code: 'RESOURCE_NOT_FOUND' });
    await assert.rejects(tryOne({ $case: 'resource', value: 'ops' }, 'nobody'), { code: 'USER_NOT_FOUND' });
  });
});
