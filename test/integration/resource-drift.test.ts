import {
  AcceptDriftRequest,
  AuditServiceService,
  CreateApiTokenRequest,
  DriftKind,
  GiveDriftAgainRequest,
  ListAuditEventsRequest,
  ResourceServiceService,
  Role,
  SessionServiceService,
  SessionState,
  TakeDriftAwayRequest,
  UserServiceService,
  type ResourceDrift,
} from '@curfew/proto';
import assert from 'node:assert/strict';
import { fakeConnectorKind } from '../support/fake-connector-kind.js';
import { FakeResource } from '../support/fake-resource.js';
import { ResourceOperator, these } from '../support/resource-operator.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const MINUTES_30 = { seconds: 1_800n, nanos: 0 };

describe('differences between ledger and resource', function () {
  this.timeout(60_000);
  let server: TestServer;
  let resource: FakeResource;
  let owner: ResourceOperator;
  let count = 0;
  /** A resource of its own for each test, compared once: who is there then was there before. */
  let group: string;

  before(async () => {
    resource = await new FakeResource().start();
    for (const name of ['alice', 'bob', 'adam']) resource.people.add(name);
    const env = { CURFEW_TIMED_ACCESS_ALLOW_LOCAL_TARGETS: 'true', CURFEW_LIMITS_TOKEN_CALLS_PER_SECOND: '100000' };
    server = await startTestServer(env, [fakeConnectorKind()]);
    owner = new ResourceOperator(server);
    for (const name of ['alice', 'bob']) await owner.user(name);
    await owner.call(UserServiceService.createUser, { name: 'adam', displayName: '', role: Role.ADMIN });
    await owner.connector('directory', resource.url);
  });
  beforeEach(async () => {
    resource.treat = () => 'do';
    count += 1;
    group = `group-${count}`;
    await owner.resource(group, 'directory');
    resource.members(group).add('id-before');
    assert.deepEqual(await compare(), []);
  });
  afterEach(() => owner.revoke({ $case: 'everything', value: true }, 20));
  after(async () => {
    owner.close();
    await server.close();
    await resource.stop();
  });

  const compare = async (): Promise<ResourceDrift[]> =>
    (await owner.call(ResourceServiceService.compareResource, { resource: group })).resource?.drift ?? [];
  const shown = async (): Promise<ResourceDrift[]> => (await owner.resourceNow(group)).drift;
  const only = (drift: readonly ResourceDrift[], kind: DriftKind, subject: string): ResourceDrift => {
    assert.deepEqual(
      drift.map((one) => [one.kind, one.subject]),
      [[kind, subject]],
    );
    const [first] = drift;
    assert.ok(first);
    return first;
  };
  const accept = (driftId: string, by = owner) =>
    by.call(ResourceServiceService.acceptDrift, AcceptDriftRequest.fromPartial({ driftId, reason: 'as agreed' }));
  const giveAgain = (driftId: string, by = owner) =>
    by.call(ResourceServiceService.giveDriftAgain, GiveDriftAgainRequest.fromPartial({ driftId, reason: 'a mistake' }));
  const takeAway = (driftId: string, by = owner) =>
    by.call(ResourceServiceService.takeDriftAway, TakeDriftAwayRequest.fromPartial({ driftId, reason: 'not again' }));
  /** What was done about differences of this resource, in order, and by whom. */
  const events = async (): Promise<string[]> => {
    const { id } = await owner.resourceNow(group);
    const request = ListAuditEventsRequest.fromPartial({ pageSize: 1_000 });
    const found = await owner.call(AuditServiceService.listAuditEvents, request);
    return found.events
      .filter(({ subject, type }) => subject === id && type.startsWith('resource.drift'))
      .sort((a, b) => Number(a.index - b.index))
      .map(({ type, actor }) => `${type} ${actor.split(':')[0] ?? ''}`);
  };
  const as = async (user: string): Promise<ResourceOperator> => {
    const wish = CreateApiTokenRequest.fromPartial({ user, label: 'test', scope: Role.ADMIN, ttl: MINUTES_30 });
    const { secret } = await owner.call(UserServiceService.createApiToken, wish);
    return new ResourceOperator({ ...server, ownerToken: secret });
  };
  /** Somebody removes what a session gives. */
  const removedByHand = async (person = 'alice', seconds = 3_600): Promise<ResourceDrift> => {
    await owner.active(person, group, seconds);
    resource.members(group).delete(`id-${person}`);
    const drift = only(await compare(), DriftKind.REMOVED_BY_HAND, person);
    await owner.until(drift.sessionId, SessionState.ENDED);
    return drift;
  };
  /** Somebody adds again what a session gave. */
  const backAfterEnd = async (person = 'alice'): Promise<ResourceDrift> => {
    await owner.revoke(these(await owner.active(person, group)), 20);
    resource.members(group).add(`id-${person}`);
    return only(await compare(), DriftKind.BACK_AFTER_END, person);
  };

  it('are accepted: a membership that somebody added stands, until it is gone and comes back', async () => {
    resource.members(group).add('id-bob');
    const drift = only(await compare(), DriftKind.ADDED_BY_HAND, 'bob');
    assert.match(drift.id, /^dft-[0-9a-z]{20}$/);
    const { resource: after } = await accept(drift.id);
    assert.deepEqual(after?.drift, []);
    assert.deepEqual(await compare(), []);
    const refused = await owner.until(await owner.grant('bob', group), SessionState.ENDED);
    assert.match(refused.endDetail, /^RESOURCE_HELD_BY_HAND/, 'it is not ours to give, so never ours to take');
    assert.equal(resource.has(group, 'bob'), true);
    assert.equal(resource.count('remove', 'bob'), 0);
    assert.deepEqual(await events(), ['resource.drift server', 'resource.drift_accepted user']);

    resource.members(group).delete('id-bob');
    assert.deepEqual(await compare(), []);
    resource.members(group).add('id-bob');
    const again = only(await compare(), DriftKind.ADDED_BY_HAND, 'bob');
    assert.notEqual(again.id, drift.id);
    await assert.rejects(accept(drift.id), { code: 'DRIFT_NOT_FOUND' });
    assert.deepEqual(await shown(), [again]);
  });

  it('are accepted where a session gave it before, and come back after the next one', async () => {
    const drift = await backAfterEnd();
    await accept(drift.id);
    assert.deepEqual(await compare(), []);
    // Taken away, given in a session, and back after that, with no comparison in between.
    resource.members(group).delete('id-alice');
    await owner.revoke(these(await owner.active('alice', group)), 20);
    resource.members(group).add('id-alice');
    assert.notEqual(only(await compare(), DriftKind.BACK_AFTER_END, 'alice').sessionId, drift.sessionId);
  });

  it('stay in sight when somebody removed it, until an operator has seen them', async () => {
    const drift = await removedByHand();
    assert.deepEqual(await compare(), [drift], 'the next comparison forgets nothing');
    await accept(drift.id);
    assert.deepEqual([await shown(), await compare()], [[], []]);
    assert.equal(resource.has(group, 'alice'), false);
    assert.deepEqual(await events(), ['resource.drift server', 'resource.drift_accepted user']);
  });

  it('are over when the time of the session is, and nothing is given for them then', async () => {
    const drift = await removedByHand('alice', 12);
    // It began later, so that it ends later.
    await owner.until(await owner.grant('bob', group, 12), SessionState.ENDED);
    await assert.rejects(giveAgain(drift.id), { code: 'DRIFT_NOT_FOUND' });
    assert.deepEqual(await compare(), []);
    assert.equal(resource.has(group, 'alice'), false);
  });

  it('are found at an extension too', async () => {
    const id = await owner.active('alice', group);
    resource.members(group).delete('id-alice');
    await owner.call(SessionServiceService.extendSession, { sessionId: id, by: { seconds: 600n, nanos: 0 } });
    await owner.until(id, SessionState.ENDED);
    assert.equal(only(await shown(), DriftKind.REMOVED_BY_HAND, 'alice').sessionId, id);
  });

  it('are undone: what was removed is given again for the rest of its time', async () => {
    const drift = await removedByHand();
    const before = await owner.session(drift.sessionId);
    const { session } = await giveAgain(drift.id);
    assert.ok(session);
    const active = await owner.until(session.id, SessionState.ACTIVE);
    assert.equal(resource.has(group, 'alice'), true);
    assert.deepEqual([active.userName, active.resourceName, active.reason], ['alice', group, 'a mistake']);
    assert.equal(active.expireTime?.getTime(), before.expireTime?.getTime());
    assert.deepEqual([await shown(), await compare()], [[], []]);
    await assert.rejects(giveAgain(drift.id), { code: 'DRIFT_NOT_FOUND' });
    assert.deepEqual(await events(), ['resource.drift server', 'resource.drift_given_again user']);
  });

  it('are undone: what is back after its end is taken away, and only when the resource has said so', async () => {
    const drift = await backAfterEnd();
    resource.treat = ({ call }) => (call === 'remove' ? 'drop' : 'do');
    await assert.rejects(takeAway(drift.id), { code: 'RESOURCE_UNREACHABLE' });
    assert.deepEqual(await shown(), [drift], 'it is not said to be gone');
    resource.treat = ({ call }) => (call === 'remove' ? 'refuse' : 'do');
    await assert.rejects(takeAway(drift.id), { code: 'RESOURCE_REFUSED' });
    assert.deepEqual([await shown(), resource.has(group, 'alice')], [[drift], true]);
    resource.treat = () => 'do';
    const { resource: after } = await takeAway(drift.id);
    assert.deepEqual([after?.drift, resource.has(group, 'alice')], [[], false]);
    assert.deepEqual(await compare(), []);
    assert.deepEqual(await events(), [
      'resource.drift server',
      ...Array.from({ length: 3 }, () => 'resource.drift_taking_away user'),
      'resource.drift_taken_away user',
    ]);
  });

  it('are not undone where that would take what Curfew never gave, or give what nobody took', async () => {
    resource.members(group).add('id-bob');
    const added = only(await compare(), DriftKind.ADDED_BY_HAND, 'bob');
    const calls = resource.asked.length;
    await assert.rejects(takeAway(added.id), { code: 'DRIFT_ACTION_UNFIT' });
    await assert.rejects(giveAgain(added.id), { code: 'DRIFT_ACTION_UNFIT' });
    assert.deepEqual([await shown(), resource.has(group, 'bob'), resource.asked.length], [[added], true, calls]);
    resource.members(group).delete('id-bob');
    const removed = await removedByHand();
    await assert.rejects(takeAway(removed.id), { code: 'DRIFT_ACTION_UNFIT' });
    assert.deepEqual(await shown(), [removed]);
  });

  it('are not settled by whoever has the access themselves', async () => {
    const adam = await as('adam');
    try {
      const back = await backAfterEnd('adam');
      await assert.rejects(accept(back.id, adam), { code: 'SELF_APPROVAL' });
      assert.deepEqual(await shown(), [back]);
      await takeAway(back.id, adam);
      const removed = await removedByHand('adam');
      await assert.rejects(giveAgain(removed.id, adam), { code: 'SELF_APPROVAL' });
      assert.deepEqual([await shown(), resource.has(group, 'adam')], [[removed], false]);
    } finally {
      adam.close();
    }
  });

  it('are over when it is given in a new session: that is nobody else’s work any more', async () => {
    const back = await backAfterEnd();
    resource.members(group).delete('id-alice');
    const id = await owner.active('alice', group);
    await assert.rejects(takeAway(back.id), { code: 'DRIFT_NOT_FOUND' });
    await assert.rejects(accept(back.id), { code: 'DRIFT_NOT_FOUND' });
    assert.equal((await owner.session(id)).state, SessionState.ACTIVE);
    assert.equal(resource.has(group, 'alice'), true);
  });

  it('are settled with a reason, by an id that there is', async () => {
    resource.members(group).add('id-bob');
    const drift = only(await compare(), DriftKind.ADDED_BY_HAND, 'bob');
    const silent = AcceptDriftRequest.fromPartial({ driftId: drift.id });
    await assert.rejects(owner.call(ResourceServiceService.acceptDrift, silent), { code: 'FIELD_INVALID' });
    await assert.rejects(accept('dft-00000000000000000000'), { code: 'DRIFT_NOT_FOUND' });
    assert.deepEqual(await shown(), [drift]);
    await accept(drift.id.slice(0, 14));
    assert.deepEqual(await shown(), []);
  });
});
