import { CurfewError, durationMs, ManualClock, MINUTE, systemRandom, type ErrorCode } from '@curfew/shared';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import type { DeviceRow } from '../devices/find-device.js';
import { Devices } from '../devices/devices.js';
import { JoinTokens } from '../devices/join-tokens.js';
import { SqliteLedger } from '../ledger/sqlite-ledger.js';
import { Requests } from '../requests/requests.js';
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
const account = (name: string, uid: number, mark = 'b') => ({ name, uid, fingerprint: mark.repeat(64) });
const [ALICE, BOB, OLGA] = [account('alice', 1000), account('bob', 1001), account('olga', 1002)];

describe('sessions', () => {
  const clock = new ManualClock();
  let ledger: SqliteLedger;
  let [users, requests, sessions, devices] = [] as unknown as [Users, Requests, Sessions, Devices];
  let device: DeviceRow;
  let olga: Caller;

  beforeEach(async () => {
    const noteKey = { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey };
    const fatal = (error: unknown) => assert.fail(String(error));
    ledger = await SqliteLedger.open({ file: ':memory:', clock, random: systemRandom, noteKey, fatal });
    const context = { ledger, clock, random: systemRandom, settings: SETTINGS };
    [users, requests, sessions, devices] = [
      new Users(context),
      new Requests(context),
      new Sessions(context),
      new Devices(context),
    ];
    const owner = await users.create('server', { name: 'olga', displayName: '', role: 'owner' });
    olga = { userId: owner.id, userName: owner.name, tokenId: '', role: 'owner' };
    const { secret } = await new JoinTokens(context, 'f'.repeat(64)).create(olga, { uses: 1, ttlMs: MINUTE });
    device = await devices.enroll({ joinToken: secret, keyHash: 'a'.repeat(64), hostname: 'web-1', facts: {} });
    const accounts = [ALICE, BOB, OLGA].map((known) => ({ ...known, standingAdmin: false, ineligibleReason: '' }));
    await devices.report(device.id, { accounts, findings: [], leaseRefusals: [] });
  });

  afterEach(() => ledger.close());

  /** Everything that a refusal must leave as it was. */
  const picture = () =>
    ledger.read(async (db) =>
      JSON.stringify([
        await db.selectFrom('session').selectAll().execute(),
        await db.selectFrom('access_request').selectAll().execute(),
        await db.selectFrom('device').selectAll().execute(),
        await db.selectFrom('account_link').selectAll().execute(),
        await db.selectFrom('audit_event').select('idx').execute(),
      ]),
    );

  async function refused(code: ErrorCode, call: () => Promise<unknown>): Promise<void> {
    const before = await picture();
    await assert.rejects(call, (error: unknown) => {
      assert.ok(error instanceof CurfewError, String(error));
      assert.equal(error.code, code);
      return true;
    });
    assert.equal(await picture(), before);
  }

  /** One more owner. */
  const another = async (name: string): Promise<Caller> => {
    const { id } = await users.create('server', { name, displayName: '', role: 'owner' });
    return { userId: id, userName: name, tokenId: '', role: 'owner' };
  };
  const ask = (who = ALICE) =>
    requests.create(device, { account: who, durationMs: MINUTE, reason: 'a look', options: OPTIONS });
  const give = (user: string, name: string) =>
    sessions.grant(olga, {
      user,
      device: 'web-1',
      account: name,
      durationMs: MINUTE,
      reason: 'a look',
      options: OPTIONS,
    });

  /** Makes as many more sessions like one, each of an account of its own. Gives the ids of all. */
  const copies = ({ id }: { readonly id: string }, count: number): Promise<string[]> =>
    ledger.write(async ({ db }) => {
      const ids = Array.from({ length: count }, (_, at) => `${id.slice(0, -4)}${String(at).padStart(4, '0')}`);
      const session = await db.selectFrom('session').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
      const [move] = await db.selectFrom('session_transition').selectAll().where('session_id', '=', id).execute();
      assert.ok(move);
      for (const [at, copy] of ids.entries()) {
        await db
          .insertInto('session_transition')
          .values({ ...move, session_id: copy })
          .execute();
        await db
          .insertInto('session')
          .values({ ...session, id: copy, uid: 2000 + at })
          .execute();
      }
      return [id, ...ids];
    });

  it('are started by the account that asked, and by no later one with its uid or name', async () => {
    const { id } = await ask();
    await refused('REQUEST_NOT_APPROVED', () => sessions.start(device, ALICE, id));
    await requests.approve(olga, id, { reason: '' });
    await refused('ACCOUNT_INELIGIBLE', () => sessions.start(device, account('alice', 1000, 'd'), id));
    await refused('ACCOUNT_INELIGIBLE', () => sessions.start(device, account('mallory', 1000), id));
    await refused('REQUEST_NOT_FOUND', () => sessions.start(device, BOB, id));
    assert.equal((await sessions.start(device, ALICE, id)).state, 'starting');
    await refused('REQUEST_NOT_APPROVED', () => sessions.start(device, ALICE, id));
  });

  it('are started without an id when one alone is approved, and else it is said what there is', async () => {
    await refused('NOTHING_APPROVED', () => sessions.start(device, ALICE, ''));
    const { id } = await ask();
    await refused('REQUEST_NOT_APPROVED', () => sessions.start(device, ALICE, ''));
    await refused('NOTHING_APPROVED', () => sessions.start(device, BOB, ''));
    await requests.approve(olga, id, { reason: '' });
    await refused('NOTHING_APPROVED', () => sessions.start(device, BOB, ''));
    assert.equal((await sessions.start(device, ALICE, '')).request_id, id);
    await refused('NOTHING_APPROVED', () => sessions.start(device, ALICE, ''));
  });

  it('are not started by the user to whom an account was linked after another was approved', async () => {
    const { id } = await ask();
    await requests.approve(olga, id, { reason: '' });
    await users.create(olga, { name: 'bob', displayName: '', role: 'user' });
    await users.link(olga, { user: 'bob', device: 'web-1', account: 'alice' });
    await refused('ACCOUNT_INELIGIBLE', () => sessions.start(device, ALICE, id));
    await users.link(olga, { user: 'alice', device: 'web-1', account: 'alice' });
    assert.equal((await sessions.start(device, ALICE, id)).user_name, 'alice');
  });

  it('are not started by a user who was disabled after the approval', async () => {
    const { id } = await ask();
    await requests.approve(olga, id, { reason: '' });
    await users.update(olga, 'alice', { disabled: true });
    await refused('USER_DISABLED', () => sessions.start(device, ALICE, id));
  });

  it('are never given to oneself, also not under the name of somebody else', async () => {
    await users.create(olga, { name: 'alice', displayName: '', role: 'user' });
    await refused('SELF_APPROVAL', () => give('olga', 'olga'));
    await refused('SELF_APPROVAL', () => give('alice', 'olga'));
    await users.link(olga, { user: 'olga', device: 'web-1', account: 'bob' });
    await refused('SELF_APPROVAL', () => give('alice', 'bob'));
    await users.create(olga, { name: 'carol', displayName: '', role: 'user' });
    await users.link(await another('otto'), { user: 'carol', device: 'web-1', account: 'bob' });
    await refused('ACCOUNT_INELIGIBLE', () => give('alice', 'bob'));
    assert.equal((await give('carol', 'bob')).user_name, 'carol');
    const { id } = await ask(OLGA);
    await refused('SELF_APPROVAL', () => requests.approve(olga, id, { reason: '' }));
  });

  it("are not given to oneself by making an account of one's own another's", async () => {
    const otto = await another('otto');
    await users.create(olga, { name: 'carol', displayName: '', role: 'user' });
    const link = (by: Caller, user: string, name: string) => users.link(by, { user, device: 'web-1', account: name });
    await refused('SELF_APPROVAL', () => link(olga, 'carol', 'olga'));
    await link(olga, 'olga', 'olga');
    await refused('SELF_APPROVAL', () => link(olga, 'carol', 'olga'));
    await link(otto, 'olga', 'bob');
    await refused('SELF_APPROVAL', () => link(olga, 'carol', 'bob'));
    await refused('SELF_APPROVAL', () => users.unlink(olga, { user: 'olga', device: 'web-1', account: 'bob' }));
    await users.unlink(otto, { user: 'olga', device: 'web-1', account: 'bob' });
    await link(olga, 'carol', 'bob');
    assert.equal((await give('carol', 'bob')).user_name, 'carol');
  });

  it('are effective only when the device has applied the generation that ended them', async () => {
    await users.create(olga, { name: 'alice', displayName: '', role: 'user' });
    const { id } = await give('alice', '');
    const [before] = await devices.desired([device.id]);
    assert.ok(before);
    const generation = before.device.generation;
    const held = before.sessions.map((session) => ({ sessionId: session.id, epoch: session.epoch }));
    const observations = new Observations({ ledger, clock, random: systemRandom, settings: SETTINGS });
    const observe = (applied: number, holds: typeof held) =>
      observations.take(device, { incarnation: 1, generation: applied, held: holds, ended: [] });
    await observe(generation, held);
    assert.equal((await sessions.get(id)).state, 'active');
    const revoked = await sessions.revoke(olga, { ids: [id] }, 'enough');
    assert.equal(revoked.sessions?.[0]?.state, 'ending');
    await observe(generation, []);
    assert.equal((await sessions.get(id)).state, 'ending', 'an old generation proves nothing');
    await observe(generation + 1, held);
    assert.equal((await sessions.get(id)).state, 'ending', 'it is still there');
    await observe(generation + 1, []);
    assert.equal((await sessions.get(id)).state, 'ended');
    assert.deepEqual(
      (await sessions.revoke(olga, { ids: [id] }, 'again')).sessions?.map(({ end_detail }) => end_detail),
      ['enough'],
    );
  });

  it('are all told of by a revoke of more than are read inside its transaction', async () => {
    await users.create(olga, { name: 'alice', displayName: '', role: 'user' });
    const given = await copies(await give('alice', ''), 1_000);
    const revoked = await sessions.revoke(olga, 'everything', 'enough');
    assert.deepEqual([...revoked.ids].sort(), [...given].sort());
    assert.equal(revoked.sessions, undefined);
    const again = await sessions.revoke(olga, { ids: given }, 'again');
    assert.deepEqual(again.ids, given);
    const now = await sessions.byIdsInParts(given);
    assert.ok(now.every(({ state, end_detail }) => state === 'ending' && end_detail === 'enough'));
    const events = await ledger.read((db) =>
      db.selectFrom('audit_event').select('subject').where('type', '=', 'session.revoked').execute(),
    );
    assert.deepEqual(events.map(({ subject }) => subject).sort(), [...given].sort());
  });

  it('fall due by themselves, and tell when the next one does', async () => {
    await users.create(olga, { name: 'alice', displayName: '', role: 'user' });
    const { id, expires_at_ms } = await give('alice', '');
    assert.equal(await sessions.expireDue(), expires_at_ms);
    clock.advance(durationMs(MINUTE));
    assert.equal(await sessions.expireDue(), undefined);
    const { state, end_reason } = await sessions.get(id);
    assert.deepEqual([state, end_reason], ['ending', 'expired']);
  });

  it('are not given, but still end, once a device has proved that there was a newer ledger', async () => {
    await users.create(olga, { name: 'alice', displayName: '', role: 'user' });
    const { id } = await give('alice', '');
    await devices.hello(device, { incarnation: 1, floorGeneration: 0, floorEpoch: 0, forgotten: true });
    await refused('LEDGER_ROLLED_BACK', () => give('alice', 'bob'));
    await refused('LEDGER_ROLLED_BACK', () => sessions.extend(olga, id, MINUTE));
    await refused('LEDGER_ROLLED_BACK', () => ask(BOB));
    assert.equal((await sessions.revoke(olga, 'everything', 'enough')).sessions?.[0]?.state, 'ending');
  });
});
