import {
  AccessRequestState,
  ApplyPoliciesRequest,
  CreateAccessRequestRequest,
  DeviceServiceService,
  EndReason,
  LinkServiceService as link,
  ListAuditEventsRequest,
  AuditServiceService,
  PolicyServiceService,
  PutResourceRequest,
  RequestServiceService,
  ResourceServiceService,
  SessionKind,
  SessionState,
  UpdateUserRequest,
  UserServiceService,
  WatchResourceStandingRequest,
  WatchResourceStandingResponse,
  type AccessRequest,
  type Account,
  type ResourceStanding,
} from '@curfew/proto';
import { SystemClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { ApiClient, asRefusal, refusalOf, type Refusal } from '../support/api-client.js';
import { fakeConnectorKind } from '../support/fake-connector-kind.js';
import { FakeResource } from '../support/fake-resource.js';
import { ledgerAtRest, ledgerRows } from '../support/ledger-rows.js';
import { ResourceOperator } from '../support/resource-operator.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

const POLICIES = `policies:
  - name: secret
    effect: allow
    subject: { users: [bob] }
    resource: { names: [secret] }
  - name: fresh
    effect: allow
    resource: { names: [fresh] }
    fresh_sign_in: 10m
  - name: ticketed
    effect: allow
    resource: { names: [ticketed] }
    ticket_pattern: OPS-[0-9]+
    auto_approval: {}
  - name: ops
    effect: allow
    resource: { names: [ops, docker, far, closed] }
    max_duration: 2h
    default_duration: 45m
    reason_pattern: '[0-9]'
  - name: device
    effect: allow
    device: {}
`;

describe('what people on devices do with resources', function () {
  this.timeout(60_000);
  let server: TestServer;
  let resource: FakeResource;
  let owner: ResourceOperator;
  let device: ScriptedDevice;
  let other: ScriptedDevice;
  let agent: ApiClient;
  let otherAgent: ApiClient;

  before(async () => {
    resource = await new FakeResource().start();
    for (const name of ['alice', 'bob']) resource.people.add(name);
    const env = { CURFEW_TIMED_ACCESS_ALLOW_LOCAL_TARGETS: 'true', CURFEW_ACCOUNTS_LINK: 'manual' };
    server = await startTestServer(env, [fakeConnectorKind()]);
    owner = new ResourceOperator(server);
    const join = async (name: string, accounts: string[]): Promise<ScriptedDevice> => {
      const { secret } = await owner.call(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined });
      return ScriptedDevice.enroll(server, secret, name, accounts);
    };
    device = await join('web-1', ['alice', 'bob', 'stranger']);
    other = await join('web-2', ['alice', 'alice-adm']);
    agent = new ApiClient(server.address, server.running.caFile, device.identity);
    otherAgent = new ApiClient(server.address, server.running.caFile, other.identity);
    for (const name of ['alice', 'bob', 'gone']) await owner.user(name);
    await eventually(async () => (await reported('web-1')) === 3 && (await reported('web-2')) === 2, {
      withinMs: 10_000,
    });
    for (const [on, account, user] of [
      ['web-1', 'alice', 'alice'],
      ['web-1', 'bob', 'bob'],
      ['web-2', 'alice', 'alice'],
      ['web-2', 'alice-adm', 'alice'],
    ] as const)
      await owner.call(UserServiceService.linkAccount, { user, device: on, account });
    await owner.connector('directory', resource.url);
    for (const name of ['ops', 'secret', 'fresh', 'ticketed', 'unlisted'])
      await owner.resource(name, 'directory', { description: `the resource ${name}` });
    await owner.resource('closed', 'directory', { disabled: true });
    for (const [name, on] of [
      ['docker', 'web-1'],
      ['far', 'web-2'],
    ] as const) {
      const target = { device: on, group: 'docker' };
      const wish = { resource: { name, connector: 'device_group', target } };
      await owner.call(ResourceServiceService.putResource, PutResourceRequest.fromPartial(wish));
    }
    await owner.call(PolicyServiceService.applyPolicies, ApplyPoliciesRequest.fromPartial({ text: POLICIES }));
    // Else they are compared for the first time when a minute is over, in the middle of anything.
    for (const name of ['ops', 'secret', 'fresh', 'ticketed', 'unlisted', 'closed'])
      await owner.call(ResourceServiceService.compareResource, { resource: name });
  });
  after(async () => {
    for (const one of [agent, otherAgent, owner, device, other]) one.close();
    await server.close();
    await resource.stop();
  });

  const reported = async (name: string): Promise<number> =>
    (await owner.call(DeviceServiceService.getDevice, { device: name })).device?.accounts.length ?? 0;
  type Wish = Omit<Parameters<typeof CreateAccessRequestRequest.fromPartial>[0], 'account'>;
  const wishOf = (account: Account, more: Wish = {}): CreateAccessRequestRequest =>
    CreateAccessRequestRequest.fromPartial({
      account,
      duration: { seconds: 600n },
      reason: 'incident 7',
      resource: 'ops',
      ...more,
    });
  const ask = async (account: Account, more: Wish = {}, caller = agent): Promise<AccessRequest> => {
    const { request } = await caller.unary(link.createAccessRequest, wishOf(account, more));
    assert.ok(request);
    return request;
  };
  const cancel = (account: Account, requestId: string) => agent.unary(link.cancelAccessRequest, { account, requestId });
  const approve = (requestId: string) =>
    owner.call(RequestServiceService.approveAccessRequest, {
      requestId,
      reason: 'well',
      duration: undefined,
      options: undefined,
    });
  const offersTo = async (account: Account, caller = agent) =>
    (await caller.unary(link.listResourceOffers, { account })).offers;
  const endOf = (account: Account, which: { sessionId?: string; resource?: string }, caller = agent) =>
    caller.unary(link.endResourceSession, { account, sessionId: '', resource: '', ...which });
  const refusesAndLeaves = async (work: () => Promise<unknown>, code: string, status: string): Promise<void> => {
    const before = await ledgerAtRest(server.running.ledger, 20);
    const refusal = await refusalOf(work());
    assert.deepEqual([refusal?.code, refusal?.status], [code, status], refusal?.text);
    assert.equal(await ledgerRows(server.running.ledger), before);
  };

  it('lists what some policy gives to the person, on what terms, and nothing of the other policies', async () => {
    const offers = await offersTo(device.account('alice'));
    assert.deepEqual(
      offers.map(({ resourceName }) => resourceName),
      ['docker', 'far', 'fresh', 'ops', 'ticketed'],
    );
    const ops = offers.find(({ resourceName }) => resourceName === 'ops');
    assert.deepEqual(
      [ops?.description, ops?.answer?.allowed, ops?.answer?.maxDuration?.seconds, ops?.answer?.checks],
      ['the resource ops', true, 7_200n, []],
    );
    assert.deepEqual(
      [ops?.answer?.defaultDuration?.seconds, ops?.request, ops?.session],
      [2_700n, undefined, undefined],
    );
    const names = (await offersTo(device.account('bob'))).map(({ resourceName }) => resourceName);
    assert.ok(names.includes('secret'));
  });

  it('gives a resource once it is approved, shows it, and takes it away when it is given back', async () => {
    const alice = device.account('alice');
    const request = await ask(alice);
    assert.deepEqual(
      [request.state, request.userName, request.resourceName, request.deviceId],
      [AccessRequestState.PENDING, 'alice', 'ops', ''],
    );
    const offerOf = async () => (await offersTo(alice)).find(({ resourceName }) => resourceName === 'ops');
    assert.equal((await offerOf())?.request?.id, request.id);
    assert.equal(resource.has('ops', 'alice'), false);
    const approved = await approve(request.id);
    const id = approved.request?.sessionId ?? '';
    await owner.until(id, SessionState.ACTIVE);
    assert.equal(resource.has('ops', 'alice'), true);
    const shown = await offerOf();
    assert.deepEqual(
      [shown?.request, shown?.session?.id, shown?.session?.kind],
      [undefined, id, SessionKind.TIMED_ACCESS],
    );

    // The same person on another device of theirs.
    const { session } = await endOf(other.account('alice-adm'), { resource: 'OPS' }, otherAgent);
    assert.deepEqual([session?.id, session?.endReason], [id, EndReason.ENDED_BY_USER]);
    const ended = await owner.until(id, SessionState.ENDED);
    assert.deepEqual([ended.endReason, ended.endedBy], [EndReason.ENDED_BY_USER, 'alice']);
    assert.equal(resource.has('ops', 'alice'), false);
    const again = await endOf(alice, { sessionId: id.slice(0, 12) });
    assert.equal(again.session?.state, SessionState.ENDED);
    const log = await owner.call(
      AuditServiceService.listAuditEvents,
      ListAuditEventsRequest.fromPartial({ pageSize: 500 }),
    );
    const actors = log.events
      .filter(({ subject, type }) => [request.id, id].includes(subject) && /created|ending/.test(type))
      .map(({ type, actor }) => [type, actor])
      .sort();
    assert.deepEqual(actors, [
      ['request.created', 'device:web-1'],
      ['session.ending', 'device:web-2'],
    ]);
  });

  it('begins at once what the policy approves by itself', async () => {
    const request = await ask(device.account('bob'), { resource: 'ticketed', ticket: 'OPS-7' });
    assert.equal(request.state, AccessRequestState.STARTED);
    await owner.until(request.sessionId, SessionState.ACTIVE);
    assert.equal(resource.has('ticketed', 'bob'), true);
    await endOf(device.account('bob'), { sessionId: request.sessionId });
    await owner.until(request.sessionId, SessionState.ENDED);
  });

  it("gives a group of this device to the account that asks, whatever is wished, and another device's to the named one", async () => {
    const here = await ask(device.account('alice'), { resource: 'docker', resourceAccount: 'bob' });
    assert.deepEqual([here.account?.name, here.deviceName, here.options?.group], ['alice', 'web-1', 'docker']);
    await cancel(device.account('alice'), here.id);
    await refusesAndLeaves(
      () => ask(device.account('alice'), { resource: 'far' }),
      'FIELD_INVALID',
      'INVALID_ARGUMENT',
    );
    const far = await ask(device.account('alice'), { resource: 'far', resourceAccount: 'alice-adm' });
    assert.deepEqual([far.account?.name, far.deviceName], ['alice-adm', 'web-2']);
    await cancel(device.account('alice'), far.id);
  });

  for (const { name, who, more, code, status } of [
    { name: 'an unknown resource', more: { resource: 'nothing' }, code: 'RESOURCE_NOT_FOUND', status: 'NOT_FOUND' },
    { name: 'a disabled one', more: { resource: 'closed' }, code: 'RESOURCE_DISABLED', status: 'FAILED_PRECONDITION' },
    { name: 'one for others', more: { resource: 'secret' }, code: 'POLICY_DENIES', status: 'PERMISSION_DENIED' },
    {
      name: 'one that no policy names',
      more: { resource: 'unlisted' },
      code: 'POLICY_DENIES',
      status: 'PERMISSION_DENIED',
    },
    {
      name: 'too long',
      more: { duration: { seconds: 7_201n } },
      code: 'DURATION_TOO_LONG',
      status: 'INVALID_ARGUMENT',
    },
    { name: 'no reason', more: { reason: '' }, code: 'FIELD_INVALID', status: 'INVALID_ARGUMENT' },
    {
      name: 'a reason that does not fit',
      more: { reason: 'why not' },
      code: 'REASON_INVALID',
      status: 'INVALID_ARGUMENT',
    },
    { name: 'no ticket', more: { resource: 'ticketed' }, code: 'TICKET_INVALID', status: 'INVALID_ARGUMENT' },
    { name: 'break-glass', more: { breakGlass: true }, code: 'POLICY_DENIES', status: 'PERMISSION_DENIED' },
    {
      name: 'one that wants a fresh sign-in',
      more: { resource: 'fresh' },
      code: 'FRESH_SIGN_IN_REQUIRED',
      status: 'FAILED_PRECONDITION',
    },
    {
      name: 'options, which a resource has not',
      more: { options: { group: 'docker' } },
      code: 'FIELD_INVALID',
      status: 'INVALID_ARGUMENT',
    },
    { name: 'an account without a user', who: 'stranger', code: 'ACCOUNT_INELIGIBLE', status: 'FAILED_PRECONDITION' },
  ] as const)
    it(`refuses ${name} with ${code}, and nothing changes`, () =>
      refusesAndLeaves(() => ask(device.account(who ?? 'alice'), more ?? {}), code, status));

  it('refuses root, a uid under another name, and a disabled user', async () => {
    const root = { ...device.account('alice'), uid: 0 };
    await refusesAndLeaves(() => ask(root), 'ACCOUNT_INELIGIBLE', 'FAILED_PRECONDITION');
    // The link is of alice's uid and alice's name.
    const renamed = { ...device.account('alice'), name: 'mallory' };
    for (const work of [() => ask(renamed), () => offersTo(renamed)])
      await refusesAndLeaves(work, 'ACCOUNT_INELIGIBLE', 'FAILED_PRECONDITION');
    await owner.call(UserServiceService.linkAccount, { user: 'gone', device: 'web-1', account: 'stranger' });
    await owner.call(UserServiceService.updateUser, UpdateUserRequest.fromPartial({ user: 'gone', disabled: true }));
    const stranger = device.account('stranger');
    for (const work of [() => ask(stranger), () => offersTo(stranger), () => endOf(stranger, { resource: 'ops' })])
      await refusesAndLeaves(work, 'USER_DISABLED', 'PERMISSION_DENIED');
    await owner.call(UserServiceService.unlinkAccount, { user: 'gone', device: 'web-1', account: 'stranger' });
  });

  it("refuses a second request, and others' requests and sessions are not there", async () => {
    const alice = device.account('alice');
    const request = await ask(alice);
    await refusesAndLeaves(() => ask(alice), 'REQUEST_ALREADY_OPEN', 'FAILED_PRECONDITION');
    for (const name of ['bob', 'stranger'])
      await refusesAndLeaves(() => cancel(device.account(name), request.id), 'REQUEST_NOT_FOUND', 'NOT_FOUND');
    // There is nothing to start: it begins by itself.
    const start = { account: alice, requestId: request.id };
    await refusesAndLeaves(() => agent.unary(link.startSession, start), 'REQUEST_NOT_FOUND', 'NOT_FOUND');
    const { request: approved } = await approve(request.id);
    const id = approved?.sessionId ?? '';
    await owner.until(id, SessionState.ACTIVE);
    for (const [account, which, code] of [
      ['bob', { sessionId: id }, 'SESSION_NOT_FOUND'],
      ['bob', { resource: 'ops' }, 'SESSION_NOT_FOUND'],
      ['stranger', { sessionId: id }, 'SESSION_NOT_FOUND'],
      ['alice', { resource: 'nothing' }, 'RESOURCE_NOT_FOUND'],
      ['alice', { resource: 'ticketed' }, 'SESSION_NOT_FOUND'],
    ] as const)
      await refusesAndLeaves(() => endOf(device.account(account), which), code, 'NOT_FOUND');
    for (const which of [{}, { sessionId: id, resource: 'ops' }])
      await refusesAndLeaves(() => endOf(alice, which), 'FIELD_INVALID', 'INVALID_ARGUMENT');
    assert.equal(resource.has('ops', 'alice'), true);
    await endOf(alice, { resource: 'ops' });
    await owner.until(id, SessionState.ENDED);
  });

  it('keeps admin rights apart: they are no resource, and a resource is no request of the device', async () => {
    const alice = device.account('alice');
    const admin = await ask(alice, { resource: '' });
    await owner.call(RequestServiceService.approveAccessRequest, {
      requestId: admin.id,
      reason: 'well',
      duration: undefined,
      options: undefined,
    });
    const { session } = await agent.unary(link.startSession, { account: alice, requestId: '' });
    const id = session?.id ?? '';
    await owner.until(id, SessionState.ACTIVE);
    await refusesAndLeaves(() => endOf(alice, { sessionId: id }), 'SESSION_NOT_FOUND', 'NOT_FOUND');
    const standing = await watch(alice).first();
    assert.ok([...standing.sessions, ...standing.requests].every(({ resourceName }) => resourceName !== ''));
    await owner.revoke({ $case: 'sessions', value: { ids: [id] } }, 20);
  });

  /** A watch of a person's standing, newest last. */
  function watch(account: Account, caller = agent) {
    const bytes = Buffer.from(WatchResourceStandingRequest.encode({ account }).finish());
    const stream = caller.stream(link.watchResourceStanding.path, bytes);
    const states: ResourceStanding[] = [];
    let refusal: Refusal | undefined;
    stream.on('data', (data: Buffer) => {
      const { standing } = WatchResourceStandingResponse.decode(data);
      if (standing !== undefined) states.push(standing);
    });
    stream.on('error', (error) => (refusal = asRefusal(error)));
    const until = (fits: (newest: ResourceStanding) => boolean): Promise<ResourceStanding> =>
      eventually(
        () => {
          const newest = states.at(-1);
          return newest !== undefined && fits(newest) && newest;
        },
        { withinMs: 20_000, what: 'a standing' },
      );
    return {
      states,
      until,
      first: async () => {
        const standing = await until(() => true);
        stream.cancel();
        return standing;
      },
      refused: () => eventually(() => refusal, { withinMs: 10_000, what: 'the end of the watch' }),
      close: () => stream.cancel(),
    };
  }

  it('follows a standing from the request to the end, and tells nothing of others', async () => {
    const [alice, bob] = [watch(device.account('alice')), watch(device.account('bob'))];
    await Promise.all([alice.until(() => true), bob.until(() => true)]);
    const told = bob.states.length;
    const request = await ask(device.account('alice'));
    const asked = await alice.until(({ requests }) => requests[0]?.id === request.id);
    assert.ok(Math.abs((asked.asOfTime?.getTime() ?? 0) - new SystemClock().now()) < 60_000);
    const { request: approved } = await approve(request.id);
    const id = approved?.sessionId ?? '';
    await alice.until(({ sessions }) => sessions[0]?.id === id && sessions[0].state === SessionState.ACTIVE);
    await owner.revoke({ $case: 'sessions', value: { ids: [id] } }, 20);
    const ended = await alice.until(({ sessions }) =>
      sessions.some((one) => one.id === id && one.state === SessionState.ENDED),
    );
    assert.equal(ended.sessions.find((one) => one.id === id)?.endReason, EndReason.REVOKED);
    assert.equal(bob.states.length, told);
    assert.ok(bob.states.every(({ requests }) => requests.every(({ userName }) => userName === 'bob')));
    alice.close();
    bob.close();
  });

  it('ends a watch when the account is no longer the user’s, and when the device is removed', async () => {
    const alice = watch(device.account('alice'));
    const onOther = watch(other.account('alice'), otherAgent);
    await Promise.all([alice.until(() => true), onOther.until(() => true)]);
    await owner.call(UserServiceService.unlinkAccount, { user: 'alice', device: 'web-1', account: 'alice' });
    assert.equal((await alice.refused()).code, 'ACCOUNT_INELIGIBLE');
    await owner.call(DeviceServiceService.removeDevice, { device: 'web-2' });
    assert.equal((await onOther.refused()).code, 'DEVICE_REMOVED');
  });
});

describe('resources of people who are linked by name', function () {
  this.timeout(60_000);
  let server: TestServer;
  let owner: ResourceOperator;
  let device: ScriptedDevice;
  let agent: ApiClient;

  before(async () => {
    server = await startTestServer({ CURFEW_TIMED_ACCESS_ALLOW_LOCAL_TARGETS: 'true' }, [fakeConnectorKind()]);
    owner = new ResourceOperator(server);
    const { secret } = await owner.call(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined });
    device = await ScriptedDevice.enroll(server, secret, 'web-1', ['alice', 'nobody-yet']);
    agent = new ApiClient(server.address, server.running.caFile, device.identity);
    await owner.user('alice');
    await owner.connector('directory', 'http://127.0.0.1:1');
    await owner.resource('ops', 'directory');
    const text = 'policies: [{ name: ops, effect: allow, resource: {} }]';
    await owner.call(PolicyServiceService.applyPolicies, ApplyPoliciesRequest.fromPartial({ text }));
  });
  after(async () => {
    for (const one of [agent, owner, device]) one.close();
    await server.close();
  });
  const wish = (name: string): CreateAccessRequestRequest =>
    CreateAccessRequestRequest.fromPartial({
      account: device.account(name),
      duration: { seconds: 600n },
      reason: 'incident 7',
      resource: 'ops',
    });

  it('are shown without linking anything, and link the account at the first request', async () => {
    const before = await ledgerAtRest(server.running.ledger);
    const { offers } = await agent.unary(link.listResourceOffers, { account: device.account('alice') });
    assert.equal(offers[0]?.resourceName, 'ops');
    assert.equal(await ledgerRows(server.running.ledger), before);
    const { request } = await agent.unary(link.createAccessRequest, wish('alice'));
    assert.equal(request?.userName, 'alice');
    const { user } = await owner.call(UserServiceService.getUser, { user: 'alice' });
    assert.deepEqual(
      user?.accounts.map(({ accountName, linkedBy }) => [accountName, linkedBy]),
      [['alice', 'by name']],
    );
  });

  it('are not there for somebody whom the server does not know: no user is made for that', async () => {
    const before = await ledgerAtRest(server.running.ledger);
    const account = device.account('nobody-yet');
    for (const work of [
      agent.unary(link.listResourceOffers, { account }),
      agent.unary(link.createAccessRequest, wish('nobody-yet')),
    ]) {
      const refusal = await refusalOf(work);
      assert.deepEqual([refusal?.code, refusal?.status], ['ACCOUNT_INELIGIBLE', 'FAILED_PRECONDITION']);
      assert.match(refusal?.text ?? '', /no user is linked to it; ask an operator to link it/);
    }
    assert.equal(await ledgerRows(server.running.ledger), before);
  });
});
