import { DAY, durationMs, HOUR, ManualClock, MINUTE, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { Devices } from '../devices/devices.js';
import { JoinTokens } from '../devices/join-tokens.js';
import { SqliteLedger } from '../ledger/sqlite-ledger.js';
import { Requests } from '../requests/requests.js';
import { Observations } from '../sessions/observations.js';
import { Sessions } from '../sessions/sessions.js';
import type { Caller } from '../users/caller.js';
import type { Role } from '../users/role.js';
import { Users } from '../users/users.js';
import { Overview } from './overview.js';

const SETTINGS = {
  maxSessionMs: 60 * MINUTE,
  decideWithinMs: DAY,
  startWithinMs: 60 * MINUTE,
  passwordRequired: false,
  linkAccounts: 'by_name',
} as const;
const OPTIONS = { kind: 'sudo_rule' as const, passwordRequired: false, commands: [], runAs: '', group: '' };

describe('the overview', () => {
  let clock: ManualClock;
  let ledger: SqliteLedger;
  let overview: Overview;
  let linked: Set<string>;
  let olga: Caller;
  let [devices, sessions, requests, users] = [] as unknown as [Devices, Sessions, Requests, Users];
  let observations: Observations;
  let keys = 0;

  beforeEach(async () => {
    clock = new ManualClock();
    linked = new Set();
    ledger = await SqliteLedger.open({
      file: ':memory:',
      clock,
      random: systemRandom,
      noteKey: { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey },
      fatal: (error) => assert.fail(String(error)),
    });
    const context = { ledger, clock, random: systemRandom, settings: SETTINGS };
    [devices, sessions, requests, users] = [
      new Devices(context),
      new Sessions(context),
      new Requests(context),
      new Users(context),
    ];
    observations = new Observations(context);
    const hub = {
      isLinked: (id: string) => linked.has(id),
      get linkedDevices() {
        return [...linked];
      },
    };
    overview = new Overview(context, hub);
    olga = await caller('olga', 'owner');
  });
  afterEach(() => ledger.close());

  async function caller(name: string, role: Role): Promise<Caller> {
    const { id } = await users.create('server', { name, displayName: '', role });
    return { userId: id, userName: name, tokenId: '', role };
  }
  async function enroll(hostname: string, findings: readonly string[] = []) {
    const context = { ledger, clock, random: systemRandom, settings: SETTINGS };
    const { secret } = await new JoinTokens(context, 'f'.repeat(64)).create(olga, { uses: 1, ttlMs: MINUTE });
    const keyHash = String(++keys).padStart(64, 'a');
    const device = await devices.enroll({ joinToken: secret, keyHash, hostname, facts: {} });
    const account = (name: string, uid: number) => ({
      name,
      uid,
      fingerprint: 'b'.repeat(64),
      standingAdmin: false,
      ineligibleReason: '',
    });
    await devices.report(device.id, {
      leaseRefusals: [],
      accounts: [account('alice', 1000), account('bob', 1001), account('olga', 1002)],
      findings,
    });
    linked.add(device.id);
    return device;
  }
  type Device = Awaited<ReturnType<typeof enroll>>;
  const ask = (device: Device, name: string, uid: number) =>
    requests.create(device, {
      account: { name, uid, fingerprint: 'b'.repeat(64) },
      durationMs: MINUTE,
      reason: 'x',
      options: OPTIONS,
    });
  async function give(device: Device, name: string, forMs: number, reason: string): Promise<string> {
    const wish = { user: name, device: device.name, account: '', durationMs: forMs, reason, options: OPTIONS };
    return (await sessions.grant(olga, wish)).id;
  }
  async function observe(device: Device, held: readonly string[]): Promise<void> {
    const [desired] = await devices.desired([device.id]);
    const grants = held.map((sessionId) => ({
      sessionId,
      epoch: desired?.sessions.find(({ id }) => id === sessionId)?.epoch ?? 1,
    }));
    await observations.take(device, {
      incarnation: 1,
      generation: desired?.device.generation ?? 0,
      held: grants,
      ended: [],
    });
  }

  it('of a new server is empty, with 30 days', async () => {
    const found = await overview.of(olga);
    assert.equal(found.days.length, 30);
    assert.deepEqual([found.days[0]?.day, found.days.at(-1)?.day], ['2025-12-03', '2026-01-01']);
    assert.ok(found.days.every(({ deviceAdmin, timedAccess }) => deviceAdmin + timedAccess === 0));
    const { days: _, ...rest } = found;
    assert.deepEqual(rest, {
      activeSessions: 0,
      endingSoon: 0,
      waitingForDevice: 0,
      offlineDevicesWithSessions: [],
      waitingRequests: 0,
      waitingForMe: 0,
      devices: 0,
      devicesWithFindings: [],
      topReasons: [],
      topUsers: [],
      devicesOnline: 0,
      reviewsWaiting: 0,
    });
  });

  it('counts sessions, requests and devices as they are now', async () => {
    const [one, two, three] = [
      await enroll('one'),
      await enroll('two', ['sudoers include is missing']),
      await enroll('three'),
    ];
    for (const name of ['alice', 'bob']) await users.create('server', { name, displayName: '', role: 'user' });
    const long = await give(one, 'alice', HOUR, 'the disk');
    await give(two, 'alice', 10 * MINUTE, 'the disk');
    const gone = await give(three, 'bob', HOUR, 'the logs');
    for (const [device, id] of [
      [one, long],
      [three, gone],
    ] as const)
      await observe(device, [id]);
    await ask(one, 'bob', 1001);
    await ask(one, 'olga', 1002);
    linked.delete(three.id);
    linked.delete(two.id);
    const found = await overview.of(olga);
    assert.deepEqual([found.activeSessions, found.endingSoon, found.waitingForDevice], [3, 1, 0]);
    assert.deepEqual(found.offlineDevicesWithSessions, ['three', 'two']);
    assert.deepEqual([found.devices, found.devicesOnline, found.devicesWithFindings], [3, 1, ['two']]);
    assert.deepEqual([found.waitingRequests, found.waitingForMe], [2, 1], 'nobody decides their own');
    assert.equal((await overview.of(await caller('vera', 'viewer'))).waitingForMe, 0);
    assert.equal((await overview.of(await caller('anna', 'approver'))).waitingForMe, 2);

    await sessions.revoke(olga, { ids: [gone] }, 'enough');
    await devices.remove(olga, 'two');
    const after = await overview.of(olga);
    assert.deepEqual(
      [after.activeSessions, after.waitingForDevice],
      [1, 2],
      'what no device has confirmed is waited for',
    );
    assert.deepEqual([after.devices, after.devicesWithFindings, after.offlineDevicesWithSessions], [2, [], []]);
    await observe(three, []);
    assert.equal((await overview.of(olga)).waitingForDevice, 1);
  });

  it('counts what began in the last 30 days of UTC: by day, reason and user, the most frequent first', async () => {
    const device = await enroll('one');
    for (const name of ['alice', 'bob']) await users.create('server', { name, displayName: '', role: 'user' });
    const giveAndEnd = async (name: string, reason: string): Promise<void> => {
      const id = await give(device, name, MINUTE, reason);
      await observe(device, [id]);
      await sessions.revoke(olga, { ids: [id] }, 'enough');
      await observe(device, []);
    };
    await giveAndEnd('alice', 'too long ago');
    clock.advance(durationMs(DAY));
    await giveAndEnd('bob', 'the logs');
    clock.advance(durationMs(29 * DAY));
    for (const reason of ['the disk', 'the disk', '=cmd()', 'the logs']) await giveAndEnd('alice', reason);
    const found = await overview.of(olga);
    assert.deepEqual(
      [found.days[0], found.days.at(-1)],
      [
        { day: '2026-01-02', deviceAdmin: 1, timedAccess: 0 },
        { day: '2026-01-31', deviceAdmin: 4, timedAccess: 0 },
      ],
    );
    assert.deepEqual(found.topReasons, [
      { name: 'the disk', count: 2 },
      { name: 'the logs', count: 2 },
      { name: '=cmd()', count: 1 },
    ]);
    assert.deepEqual(found.topUsers, [
      { name: 'alice', count: 4 },
      { name: 'bob', count: 1 },
    ]);
    await giveAndEnd('bob', 'just now');
    assert.equal((await overview.of(olga)).days.at(-1)?.deviceAdmin, 5, 'today as of now');
    clock.advance(durationMs(DAY));
    const next = await overview.of(olga);
    assert.deepEqual(next.days.slice(-2), [
      { day: '2026-01-31', deviceAdmin: 5, timedAccess: 0 },
      { day: '2026-02-01', deviceAdmin: 0, timedAccess: 0 },
    ]);
    assert.deepEqual(next.topUsers[1], { name: 'bob', count: 1 }, 'the oldest day is left out');
  });
});
