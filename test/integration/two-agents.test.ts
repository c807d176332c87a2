import { DeviceServiceService, SessionServiceService, SessionState, UserServiceService, Role } from '@curfew/proto';
import { durationMs, SECOND } from '@curfew/shared';
import assert from 'node:assert/strict';
import { ApiClient, refusalOf } from '../support/api-client.js';
import { MovableClock } from '../support/movable-clock.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

const SOON = { withinMs: 20_000 };
/** How long an agent that has taken a link over waits for its leases. */
const ITS_WAIT = durationMs(4 * SECOND);

describe('two agents with one identity', function () {
  this.timeout(60_000);
  let server: TestServer;
  let operator: ApiClient;
  let device: ScriptedDevice;
  let twin: ScriptedDevice;
  /** It stands still: the wait for leases is over when a test says so, and no sooner on a slow machine. */
  let clock: MovableClock;

  beforeEach(async () => {
    clock = MovableClock.stopped();
    server = await startTestServer({ CURFEW_LIMITS_TOKEN_CALLS_PER_SECOND: '100000' }, undefined, clock);
    operator = new ApiClient(server.address, server.running.caFile, { token: server.ownerToken });
    const joinToken = { uses: 1, ttl: undefined };
    const { secret } = await operator.unary(DeviceServiceService.createJoinToken, joinToken);
    device = await ScriptedDevice.enroll(server, secret, 'web-1', ['alice', 'bob']);
    await operator.unary(UserServiceService.createUser, { name: 'alice', displayName: '', role: Role.USER });
    twin = device.twin(server);
  });
  afterEach(async () => {
    twin.close();
    device.close();
    operator.close();
    clock.start();
    await server.close();
    clock.stop();
  });

  const grant = (user = 'alice') => {
    const wish = { user, device: 'web-1', account: '', duration: { seconds: 600n, nanos: 0 } };
    return operator.unary(SessionServiceService.grantSession, {
      ...wish,
      reason: 'why',
      resource: '',
      options: undefined,
    });
  };
  const session = async (id: string) => {
    const answer = await operator.unary(SessionServiceService.getSession, { sessionId: id });
    return answer.session!;
  };
  const active = async (user = 'alice'): Promise<string> => {
    const id = (await grant(user)).session!.id;
    await eventually(async () => (await session(id)).state === SessionState.ACTIVE, SOON);
    return id;
  };
  const conflicts = async (): Promise<number> =>
    server.running.ledger.read(async (db) => {
      const found = await db
        .selectFrom('audit_event')
        .select('idx')
        .where('type', '=', 'device.identity_conflict')
        .execute();
      return found.length;
    });
  /** Waits until an agent's link has ended once more, and gives why. */
  const fenced = async (of: ScriptedDevice, count: number): Promise<void> => {
    await eventually(() => of.ends.length >= count, { ...SOON, what: `${count} ended links` });
    assert.equal(of.ends.at(-1)?.code, 'LINK_FENCED');
  };

  it('are found when the first one comes back: its sessions end, and neither gets a lease', async () => {
    const id = await active();
    // The twin's first desired state comes with its wait; until then it gets none.
    const joined = twin.goOnline();
    await fenced(device, 1);
    await device.goOnline();
    await fenced(twin, 1);
    const second = twin.goOnline();
    await fenced(device, 2);
    clock.advance(ITS_WAIT);
    await second;
    assert.deepEqual(
      twin.desired.flatMap(({ leases }) => leases),
      [],
    );
    assert.deepEqual(device.desired.at(-1)?.leases, []);
    void joined;

    assert.equal((await session(id)).state, SessionState.ENDING, 'nobody knows whether it has ended');
    assert.match((await session(id)).endDetail, /two agents use this device's identity/);
    assert.equal((await refusalOf(grant()))?.code, 'DEVICE_IDENTITY_CONFLICT');
    assert.equal(await conflicts(), 1);

    twin.goOffline();
    await device.goOnline();
    await operator.unary(DeviceServiceService.resolveIdentityConflict, { device: 'web-1' });
    await eventually(async () => (await session(id)).state === SessionState.ENDED, SOON);
    const next = await active();
    // What was replaced before an operator has looked is no second agent after it.
    device.goOffline();
    await device.goOnline();
    assert.equal((await session(next)).state, SessionState.ACTIVE);
    assert.equal(await conflicts(), 1);
  });

  it('are found again while both run, also after an operator has said that they do not', async () => {
    const flap = async (round: number): Promise<void> => {
      const joined = twin.goOnline();
      await fenced(device, round);
      clock.advance(ITS_WAIT);
      await joined;
      await device.goOnline();
      await fenced(twin, round);
    };
    await flap(1);
    assert.equal(await conflicts(), 1);
    await operator.unary(DeviceServiceService.resolveIdentityConflict, { device: 'web-1' });
    await flap(2);
    assert.equal(await conflicts(), 2);
  });

  it('are not suspected when an agent was started anew behind a dead link: it has its leases after a short wait', async () => {
    const id = await active();
    const joined = twin.goOnline();
    await fenced(device, 1);
    assert.equal(twin.desired.length, 0, 'not before the wait is over');
    clock.advance(ITS_WAIT);
    await joined;
    assert.equal(twin.desired.at(-1)?.leases.length, 1);
    assert.equal((await session(id)).state, SessionState.ACTIVE);
    assert.equal(await conflicts(), 0);
  });

  it('do not keep the revoke of one session waiting while another one goes on', async () => {
    await operator.unary(UserServiceService.createUser, { name: 'bob', displayName: '', role: Role.USER });
    const [one, other] = [await active(), await active('bob')];
    const joined = twin.goOnline();
    await fenced(device, 1);
    const selection = { $case: 'sessions' as const, value: { ids: [one] } };
    const wait = { seconds: 2n, nanos: 0 };
    const revoked = await operator.unary(SessionServiceService.revokeSessions, { selection, reason: 'enough', wait });
    assert.equal(revoked.results[0]?.session?.state, SessionState.ENDED);
    const [told] = twin.desired;
    assert.deepEqual(
      [told?.leases, told?.keptSessionIds],
      [[], [other]],
      'what goes on is named, and nothing is given',
    );
    await joined;
    assert.equal((await session(other)).state, SessionState.ACTIVE);
  });

  it('do not keep a revoke waiting', async () => {
    const id = await active();
    const joined = twin.goOnline();
    await fenced(device, 1);
    const selection = { $case: 'sessions' as const, value: { ids: [id] } };
    const wait = { seconds: 2n, nanos: 0 };
    const revoked = await operator.unary(SessionServiceService.revokeSessions, { selection, reason: 'enough', wait });
    assert.equal(revoked.results[0]?.session?.state, SessionState.ENDED);
    await joined;
  });
});
