import { CurfewError, ManualClock, MINUTE, systemRandom, type ErrorCode } from '@curfew/shared';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { findDevice, type DeviceRow } from '../devices/find-device.js';
import { Devices } from '../devices/devices.js';
import { JoinTokens } from '../devices/join-tokens.js';
import type { Caller } from '../users/caller.js';
import { ApiTokens } from '../users/api-tokens.js';
import { Users, findUser, type UserRecord } from '../users/users.js';
import { SqliteLedger } from './sqlite-ledger.js';

const SETTINGS = {
  maxSessionMs: MINUTE,
  decideWithinMs: MINUTE,
  startWithinMs: MINUTE,
  passwordRequired: false,
  linkAccounts: 'by_name',
} as const;

describe('a name that looks like an id', () => {
  let ledger: SqliteLedger;
  let devices: Devices;
  let users: Users;
  let tokens: ApiTokens;
  let owner: Caller;
  let victim: DeviceRow;
  let enroll: (hostname: string) => Promise<DeviceRow>;
  let make: (name: string) => Promise<UserRecord>;

  beforeEach(async () => {
    const noteKey = { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey };
    const [clock, random] = [new ManualClock(), systemRandom];
    ledger = await SqliteLedger.open({
      file: ':memory:',
      clock,
      random,
      noteKey,
      fatal: (error) => assert.fail(String(error)),
    });
    const context = { ledger, clock, random, settings: SETTINGS };
    [devices, users, tokens] = [new Devices(context), new Users(context), new ApiTokens(context)];
    make = (name) => users.create('server', { name, displayName: '', role: 'owner' });
    const olga = await make('olga');
    owner = { userId: olga.id, userName: olga.name, tokenId: '', role: 'owner' };
    const { secret } = await new JoinTokens(context, 'f'.repeat(64)).create(owner, { uses: 9, ttlMs: MINUTE });
    let count = 0;
    enroll = (hostname) =>
      devices.enroll({ joinToken: secret, keyHash: String(count++).padStart(64, 'a'), hostname, facts: {} });
    victim = await enroll('web-1');
  });
  afterEach(() => ledger.close());

  const refused = (work: Promise<unknown>, code: ErrorCode): Promise<void> =>
    assert.rejects(work, (error: unknown) => error instanceof CurfewError && error.code === code);

  it("does not catch what is meant for the device of that id, not even by the id's shown part", async () => {
    const hostile = await enroll(victim.id);
    assert.equal(hostile.name, victim.id);
    await devices.remove(owner, victim.id);
    assert.equal((await ledger.read((db) => findDevice(db, victim.id))).state, 'removed');
    assert.equal((await ledger.read((db) => findDevice(db, hostile.id))).state, 'enrolled');

    const other = await enroll('web-2');
    for (const shown of [other.id.slice(0, 12), other.id.slice(4, 12)]) {
      const shadow = await enroll(shown);
      await refused(devices.remove(owner, shown), 'ID_AMBIGUOUS');
      assert.equal((await ledger.read((db) => findDevice(db, shadow.id))).state, 'enrolled');
      await devices.remove(owner, shadow.id);
    }
    assert.equal((await ledger.read((db) => findDevice(db, other.id.slice(0, 12)))).id, other.id);
  });

  it('is a name like any other where no id fits', async () => {
    const device = await enroll('dev-web');
    assert.equal((await ledger.read((db) => findDevice(db, 'dev-web'))).id, device.id);
    await refused(
      ledger.read((db) => findDevice(db, 'dev-nothing')),
      'DEVICE_NOT_FOUND',
    );
  });

  it("does not act in the place of the user of that id: tokens and role stay the owner's own", async () => {
    const shadow = await make(owner.userId);
    assert.equal((await ledger.read((db) => findUser(db, owner.userId))).id, owner.userId);
    const wish = { user: '', label: 'mine', scope: undefined, ttlMs: MINUTE };
    const { secret } = await tokens.create({ actor: { kind: 'server' } }, { ...wish, user: owner.userId });
    const caller = await tokens.authenticate(secret);
    const { record } = await tokens.create({ actor: { kind: 'server' }, caller }, wish);
    assert.equal(record.user_id, owner.userId);
    await users.update(owner, owner.userId, { displayName: 'Olga' });
    assert.equal((await users.get(shadow.id)).display_name, shadow.name);
  });
});
