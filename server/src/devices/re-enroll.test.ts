import { CurfewError, durationMs, ManualClock, MINUTE, SECOND, systemRandom, type ErrorCode } from '@curfew/shared';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { SqliteLedger } from '../ledger/sqlite-ledger.js';
import { Requests } from '../requests/requests.js';
import { confirmFormer } from '../sessions/confirm-former.js';
import { Observations } from '../sessions/observations.js';
import { Sessions } from '../sessions/sessions.js';
import type { Caller } from '../users/caller.js';
import { Users } from '../users/users.js';
import { Devices } from './devices.js';
import type { DeviceRow } from './find-device.js';
import { JoinTokens } from './join-tokens.js';

const SETTINGS = {
  maxSessionMs: 60 * MINUTE,
  decideWithinMs: 60 * MINUTE,
  startWithinMs: 60 * MINUTE,
  passwordRequired: false,
  linkAccounts: 'by_name',
} as const;
const OPTIONS = { kind: 'sudo_rule' as const, passwordRequired: false, commands: [], runAs: '', group: '' };
const account = (name: string, uid: number) => ({
  ...{ name, uid, fingerprint: 'b'.repeat(64), standingAdmin: false, ineligibleReason: '' },
});
const [ALICE, BOB, CAROL] = [account('alice', 1000), account('bob', 1001), account('carol', 1002)];
const [OLD, NEW, OTHER] = ['a'.repeat(64), 'c'.repeat(64), 'd'.repeat(64)];

describe('a device that enrols anew', () => {
  const clock = new ManualClock();
  let ledger: SqliteLedger;
  let [devices, sessions, requests, tokens, observations] = [] as unknown as [
    Devices,
    Sessions,
    Requests,
    JoinTokens,
    Observations,
  ];
  let context: { ledger: SqliteLedger; clock: ManualClock; random: typeof systemRandom; settings: typeof SETTINGS };
  let olga: Caller;
  let former: DeviceRow;

  beforeEach(async () => {
    const noteKey = { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey };
    const fatal = (error: unknown) => assert.fail(String(error));
    ledger = await SqliteLedger.open({ file: ':memory:', clock, random: systemRandom, noteKey, fatal });
    context = { ledger, clock, random: systemRandom, settings: SETTINGS };
    const users = new Users(context);
    [devices, sessions, requests, tokens, observations] = [
      new Devices(context),
      new Sessions(context),
      new Requests(context),
      new JoinTokens(context, 'f'.repeat(64)),
      new Observations(context),
    ];
    const owner = await users.create('server', { name: 'olga', displayName: '', role: 'owner' });
    for (const name of ['alice', 'bob', 'carol']) await users.create('server', { name, displayName: '', role: 'user' });
    olga = { userId: owner.id, userName: owner.name, tokenId: '', role: 'owner' };
    const { secret } = await tokens.create(olga, { uses: 1, ttlMs: MINUTE });
    former = await enrol(secret, OLD);
    await reported(former);
  });
  afterEach(() => ledger.close());

  const enrol = (joinToken: string, keyHash: string) =>
    devices.enroll({ joinToken, keyHash, hostname: 'web-1', facts: { hostname: 'web-1' } });
  const reported = ({ id }: DeviceRow) =>
    devices.report(id, { accounts: [ALICE, BOB, CAROL], findings: ['old'], leaseRefusals: [] });
  const tokenFor = async (device: string, uses = 1) =>
    (await tokens.create(olga, { uses, ttlMs: MINUTE, device })).secret;
  const give = async (name: string, minutes = 10) => {
    const asked = { user: name, device: 'web-1', account: '', durationMs: minutes * MINUTE, reason: 'a look' };
    return (await sessions.grant(olga, { ...asked, options: OPTIONS })).id;
  };
  const now = async () => (await devices.desired([former.id]))[0]!;
  /** What the installation of a row says that it holds, up to date as it is. */
  const says = async (device: DeviceRow, held: readonly string[], ended: readonly string[] = []) => {
    const { generation } = (await now()).device;
    const grants = held.map((sessionId) => ({ sessionId, epoch: 1 }));
    const ends = ended.map((sessionId) => ({ sessionId, reason: 'expired' as const, code: '', detail: '' }));
    await observations.take(device, { incarnation: 1, generation, held: grants, ended: ends });
  };
  const state = async (id: string) => (await sessions.byIds([id]))[0]?.state;
  const picture = () =>
    ledger.read(async (db) =>
      JSON.stringify([
        await db.selectFrom('device').selectAll().execute(),
        await db.selectFrom('join_token').selectAll().execute(),
        await db.selectFrom('session').selectAll().execute(),
        await db.selectFrom('audit_event').select('idx').execute(),
      ]),
    );
  async function refused(code: ErrorCode, call: () => Promise<unknown>): Promise<void> {
    const before = await picture();
    await assert.rejects(call, (error: unknown) => error instanceof CurfewError && error.code === code);
    assert.equal(await picture(), before);
  }

  it('is the same device with another key, and nothing that was decided before is left to come back', async () => {
    await devices.setLabels(olga, 'web-1', { env: 'prod' });
    const id = await give('alice');
    const asked = { durationMs: MINUTE, reason: 'why', options: OPTIONS };
    const [waiting, approved] = [
      await requests.create(former, { ...asked, account: BOB }),
      await requests.create(former, { ...asked, account: CAROL }),
    ];
    await requests.approve(olga, approved.id, { reason: '' });
    await says(former, [id]);
    const before = (await now()).device;
    const fresh = await enrol(await tokenFor('web-1'), NEW);

    assert.deepEqual(
      [fresh.id, fresh.name, fresh.labels, fresh.enrolled_at_ms, fresh.key_hash],
      [former.id, 'web-1', '{"env":"prod"}', former.enrolled_at_ms, NEW],
    );
    assert.ok(fresh.generation > before.generation);
    assert.equal(fresh.revoked_epoch, before.epoch, 'every epoch that was ever given counts as revoked');
    const [session] = await sessions.byIds([id]);
    assert.deepEqual(
      [session?.state, session?.end_reason, session?.end_detail],
      ['ending', 'device_removed', 'the device was enrolled anew'],
    );
    for (const each of [waiting, approved]) assert.equal((await requests.get(each.id)).state, 'cancelled');
    const { device, accounts } = await devices.get('web-1');
    assert.deepEqual([accounts, device.findings], [[], []], 'they were those of the installation before');
    const next = await ledger.read((db) =>
      db.selectFrom('audit_event').select('record').where('type', '=', 'device.re_enrolled').execute(),
    );
    assert.match(String(next[0]?.record), new RegExp(`"formerKeyHash":"${OLD}".*"keyHash":"${NEW}"`));
  });

  it('has one key: the one before is refused as replaced, and can never be enrolled again', async () => {
    const fresh = await enrol(await tokenFor('web-1'), NEW);
    assert.equal((await devices.byKeyHash(NEW)).id, former.id);
    await refused('DEVICE_KEY_REPLACED', () => devices.byKeyHash(OLD));
    const hello = { incarnation: 1, floorGeneration: 0, floorEpoch: 0, forgotten: false };
    await refused('DEVICE_KEY_REPLACED', () => devices.hello(former, hello));
    await devices.hello(fresh, hello);
    const again = [await tokenFor('web-1'), (await tokens.create(olga, { uses: 1, ttlMs: MINUTE })).secret];
    for (const token of again) for (const key of [OLD, NEW]) await refused('DEVICE_KEY_TAKEN', () => enrol(token, key));
  });

  it('needs a token that is for it, works once, not too late, and not after the device was removed', async () => {
    await refused('FIELD_INVALID', () => tokenFor('web-1', 2));
    await refused('DEVICE_NOT_FOUND', () => tokenFor('web-9'));
    const [used, late] = [await tokenFor('web-1'), await tokenFor('web-1')];
    assert.deepEqual(
      (await tokens.list()).map(({ device_id, device_name }) => [device_id, device_name]),
      Array.from({ length: 2 }, () => [former.id, 'web-1']),
    );
    await enrol(used, NEW);
    await refused('JOIN_TOKEN_INVALID', () => enrol(used, OTHER));
    clock.advance(durationMs(MINUTE));
    await refused('JOIN_TOKEN_INVALID', () => enrol(late, OTHER));
    const last = await tokenFor('web-1');
    await devices.remove(olga, 'web-1');
    await refused('JOIN_TOKEN_INVALID', () => enrol(last, OTHER));
    await refused('DEVICE_NOT_FOUND', () => tokenFor(former.id));
  });

  it('settles a conflict of two agents', async () => {
    await devices.identityConflict(former.id);
    assert.equal((await enrol(await tokenFor('web-1'), NEW)).state, 'enrolled');
  });

  it('does not say that the installation before has let go: only that one does, or its end', async () => {
    const [kept, given] = [await give('alice'), await give('bob')];
    await says(former, [kept, given]);
    const fresh = await enrol(await tokenFor('web-1'), NEW);
    await says(fresh, []);
    assert.deepEqual([await state(kept), await state(given)], ['ending', 'ending']);
    await says(former, [kept]);
    assert.deepEqual([await state(kept), await state(given)], ['ending', 'ended']);
    await confirmFormer(context);
    assert.equal(await state(kept), 'ending');
    clock.advance(durationMs(10 * MINUTE));
    await confirmFormer(context);
    assert.equal(await state(kept), 'ended');
  });

  it('confirms what it has held itself, when its disk was not wiped', async () => {
    const id = await give('alice');
    await says(former, [id]);
    await says(await enrol(await tokenFor('web-1'), NEW), [], [id]);
    assert.equal(await state(id), 'ended');
  });

  it('says nothing of what is over before it has applied the end', async () => {
    const id = await give('alice', 1);
    await says(former, [id]);
    const fresh = await enrol(await tokenFor('web-1'), NEW);
    clock.advance(durationMs(MINUTE + SECOND));
    await confirmFormer(context);
    assert.equal(await state(id), 'ending');
    await says(fresh, []);
    assert.equal(await state(id), 'ended');
  });

  it('has nothing of its own begun or ended by the installation before', async () => {
    const fresh = await enrol(await tokenFor('web-1'), NEW);
    await reported(fresh);
    clock.advance(durationMs(SECOND));
    const id = await give('alice');
    await says(former, [id]);
    assert.equal(await state(id), 'starting');
    await says(former, [], [id]);
    assert.equal(await state(id), 'starting');
    const { applied_generation: applied } = (await now()).device;
    assert.ok(applied < (await now()).device.generation, 'what the former one has applied does not count');
    await says(fresh, [id]);
    assert.equal(await state(id), 'active');
    await sessions.revoke(olga, 'everything', 'enough');
    await says(former, []);
    assert.equal(await state(id), 'ending');
    await says(fresh, []);
    assert.equal(await state(id), 'ended');
  });
});
