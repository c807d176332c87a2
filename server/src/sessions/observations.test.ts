import { ManualClock, MINUTE, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { Devices } from '../devices/devices.js';
import type { DeviceRow } from '../devices/find-device.js';
import { JoinTokens } from '../devices/join-tokens.js';
import { SqliteLedger } from '../ledger/sqlite-ledger.js';
import type { Caller } from '../users/caller.js';
import { Users } from '../users/users.js';
import { Observations } from './observations.js';
import { Sessions } from './sessions.js';

const SETTINGS = {
  maxSessionMs: 60 * MINUTE,
  decideWithinMs: 60 * MINUTE,
  startWithinMs: 60 * MINUTE,
  passwordRequired: false,
  linkAccounts: 'by_name',
} as const;
const OPTIONS = { kind: 'sudo_rule' as const, passwordRequired: false, commands: [], runAs: '', group: '' };
const ALICE = { name: 'alice', uid: 1000, fingerprint: 'b'.repeat(64), standingAdmin: false, ineligibleReason: '' };

describe('observations', () => {
  let ledger: SqliteLedger;
  let [devices, sessions, observations] = [] as unknown as [Devices, Sessions, Observations];
  let fleet: DeviceRow[];
  let ids: string[];
  let olga: Caller;

  beforeEach(async () => {
    const noteKey = { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey };
    const [clock, fatal] = [new ManualClock(), (error: unknown) => assert.fail(String(error))];
    ledger = await SqliteLedger.open({ file: ':memory:', clock, random: systemRandom, noteKey, fatal });
    const context = { ledger, clock, random: systemRandom, settings: SETTINGS };
    const users = new Users(context);
    [devices, sessions, observations] = [new Devices(context), new Sessions(context), new Observations(context)];
    const owner = await users.create('server', { name: 'olga', displayName: '', role: 'owner' });
    await users.create('server', { name: 'alice', displayName: '', role: 'user' });
    olga = { userId: owner.id, userName: owner.name, tokenId: '', role: 'owner' };
    const { secret } = await new JoinTokens(context, 'f'.repeat(64)).create(olga, { uses: 3, ttlMs: MINUTE });
    [fleet, ids] = [[], []];
    for (const mark of ['a', 'b', 'c']) {
      const input = { joinToken: secret, keyHash: mark.repeat(64), hostname: `web-${mark}`, facts: {} };
      const device = await devices.enroll(input);
      await devices.report(device.id, { accounts: [ALICE], findings: [], leaseRefusals: [] });
      const asked = { user: 'alice', device: device.name, account: '', durationMs: MINUTE, reason: 'a look' };
      ids.push((await sessions.grant(olga, { ...asked, options: OPTIONS })).id);
      fleet.push(device);
    }
  });

  afterEach(() => ledger.close());

  const states = async (): Promise<string[]> => (await sessions.byIds(ids)).map(({ state }) => state);
  const audited = async (): Promise<string[]> => {
    const rows = await ledger.read((db) => db.selectFrom('audit_event').select(['type', 'subject']).execute());
    return rows
      .filter(({ subject }) => ids.includes(subject))
      .map(({ type, subject }) => `${type} ${ids.indexOf(subject)}`);
  };
  const generation = async (device: DeviceRow): Promise<number> =>
    (await devices.desired([device.id]))[0]?.device.generation ?? 0;
  const holds = async (at: number, held = true, device = fleet[at]!) =>
    observations.take(device, {
      incarnation: 1,
      generation: await generation(device),
      held: held ? [{ sessionId: ids[at] ?? '', epoch: 1 }] : [],
      ended: [],
    });

  it('of a whole fleet are applied together, each to its own device, with one event for each session', async () => {
    await Promise.all([holds(0), holds(1), holds(2, false)]);
    assert.deepEqual(await states(), ['active', 'active', 'starting']);
    await sessions.revoke(olga, 'everything', 'enough');
    await Promise.all([holds(0, false), holds(1, true), holds(2, false)]);
    assert.deepEqual(await states(), ['ended', 'ending', 'ended']);
    const events = await audited();
    assert.deepEqual(events.filter((event) => !/starting|revoked/.test(event)).sort(), [
      'session.active 0',
      'session.active 1',
      'session.ended 0',
      'session.ended 2',
    ]);
    const rows = await Promise.all(fleet.map(({ id }) => devices.get(id)));
    for (const { device } of rows) assert.equal(device.applied_generation, device.generation);
  });

  it('of one device are applied in the order in which they came', async () => {
    const [device, sessionId] = [fleet[0]!, ids[0]!];
    const observation = { incarnation: 1, generation: await generation(device), held: [], ended: [] };
    const end = { sessionId, reason: 'ended_by_user', code: '', detail: '' } as const;
    await Promise.all([
      observations.take(device, { ...observation, held: [{ sessionId, epoch: 1 }] }),
      observations.take(device, { ...observation, ended: [end] }),
    ]);
    assert.deepEqual(
      (await audited()).filter((event) => event.endsWith(' 0')),
      ['session.starting 0', 'session.active 0', 'session.ending 0', 'session.ended 0'],
    );
  });

  it('of another incarnation prove nothing about what has been applied', async () => {
    await holds(0);
    await sessions.revoke(olga, 'everything', 'enough');
    await observations.take(fleet[0]!, { incarnation: 2, generation: 99, held: [], ended: [] });
    assert.equal((await states())[0], 'ending');
    assert.notEqual((await devices.get(fleet[0]!.id)).device.applied_generation, 99);
  });

  it('that cannot be applied keep no other from it', async () => {
    const broken = {
      ...fleet[1]!,
      get name(): string {
        throw new Error('this row is broken');
      },
    };
    const results = await Promise.allSettled([holds(0), holds(1, true, broken), holds(2)]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.match(String((results[1] as PromiseRejectedResult).reason), /this row is broken/);
    assert.deepEqual(await states(), ['active', 'starting', 'active']);
    assert.deepEqual(
      (await audited()).filter((event) => event.startsWith('session.active')),
      ['session.active 0', 'session.active 2'],
    );
  });
});
