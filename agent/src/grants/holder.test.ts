import { CurfewError, durationMs, ManualClock, silentLogger, type LeaseClaims } from '@curfew/shared';
import assert from 'node:assert/strict';
import type { GrantOrder, PrivilegeHost, RightRef } from '../ports/privilege-host.js';
import type { AgentState, StateFile } from '../ports/state-file.js';
import { Holder, type VerifiedDesired } from './holder.js';

/** Lets everything that waits for nothing but each other go on. */
const turn = (): Promise<void> => Promise.resolve();

const DEVICE = 'a'.repeat(64);
const NONCE = 'c'.repeat(32);
const SESSION = `ses-${'0'.repeat(20)}`;
const ACCOUNT = { name: 'alice', uid: 1000, sid: '', fingerprint: 'b'.repeat(64) };

/** A host that keeps its rights in memory, and whose grants can be held up on their way. */
class InMemoryHost implements Pick<
  PrivilegeHost,
  'list' | 'arm' | 'grant' | 'inspect' | 'remove' | 'armed' | 'disarm'
> {
  readonly rights = new Map<string, GrantOrder>();
  asked = 0;
  release: (() => void) | undefined;
  holdUp = false;
  /** Sessions whose rights cannot be removed. */
  readonly stuck = new Set<string>();

  list = async () =>
    [...this.rights.values()].map(({ sessionId }) => ({ sessionId, kind: 'sudo_rule' as const, uid: 1000 }));
  arm = async () => undefined;
  armed = async () => [];
  disarm = async () => undefined;
  inspect = async ({ sessionId }: RightRef) => (this.rights.has(sessionId) ? ('live' as const) : ('absent' as const));
  remove = async ({ sessionId }: { readonly sessionId: string }) => {
    if (this.stuck.has(sessionId)) throw new Error('the file system is read-only');
    this.rights.delete(sessionId);
  };
  grant = async (order: GrantOrder) => {
    this.asked += 1;
    if (this.holdUp) await new Promise<void>((resolve) => (this.release = resolve));
    this.rights.set(order.sessionId, order);
  };
}

class InMemoryStateFile implements StateFile {
  saved: AgentState | undefined;
  load = async () =>
    this.saved === undefined ? { found: 'nothing' as const } : { found: 'state' as const, state: this.saved };
  save = async (state: AgentState) => void (this.saved = state);
}

function setUp(stateFile = new InMemoryStateFile(), host = new InMemoryHost(), clock = new ManualClock()) {
  const holder = new Holder({
    host: host as unknown as PrivilegeHost,
    stateFile,
    accounts: { byUid: async () => ({ ...ACCOUNT, standingAdmin: false, ineligibleReason: '' }), list: async () => [] },
    clock,
    logger: silentLogger,
    bootId: 'boot-1',
    deviceKeyHash: DEVICE,
  });
  holder.nonces.set(NONCE, clock.bootTime());
  const lease = (change: Partial<LeaseClaims> = {}): LeaseClaims => ({
    sessionId: SESSION,
    deviceKeyHash: DEVICE,
    account: ACCOUNT,
    options: { kind: 'sudo_rule', passwordRequired: false, commands: [], runAs: '', group: '' },
    incarnation: 1,
    epoch: 1,
    nonce: NONCE,
    durationMs: 60_000,
    wallEndMs: clock.now() + 60_000,
    issuedAtMs: clock.now(),
    ...change,
  });
  const desired = (
    generation: number,
    leases: readonly LeaseClaims[],
    change: Partial<VerifiedDesired> = {},
  ): VerifiedDesired => ({
    generation,
    incarnation: 1,
    revokedEpoch: 0,
    leases,
    refused: [],
    endNotices: new Map(),
    checkpoint: '',
    kept: [],
    ...change,
  });
  return { holder, host, clock, stateFile, lease, desired };
}

describe('holder', () => {
  it('never says that a right is gone while a late grant can still put it back', async () => {
    const { holder, host, lease, desired } = setUp();
    host.holdUp = true;
    const granting = holder.applyDesired(desired(1, [lease()]));
    while (host.release === undefined) await turn();
    const saidGone: number[] = [];
    holder.onChange(() => {
      if (holder.snapshot.grants.length > 0) return;
      saidGone.push(host.rights.size);
    });
    const revoking = holder.applyDesired(desired(2, []));
    for (let turns = 0; turns < 200; turns += 1) await turn();
    assert.deepEqual(saidGone, []);
    host.release();
    await Promise.all([granting, revoking]);
    assert.ok(saidGone.length > 0);
    assert.deepEqual(new Set(saidGone), new Set([0]), 'reported as gone while it is there');
    assert.equal(host.rights.size, 0);
  });

  it('does not claim to have applied a revoke whose removal is stuck, and ends other rights on time meanwhile', async () => {
    const { holder, host, clock, lease, desired } = setUp();
    const other = `ses-${'1'.repeat(20)}`;
    const second = lease({ sessionId: other, epoch: 2, durationMs: 10_000 });
    await holder.applyDesired(desired(1, [lease({ durationMs: 5_000 }), second]));
    assert.deepEqual([...host.rights.keys()], [SESSION, other]);
    host.stuck.add(SESSION);
    holder.start();
    const revoking = holder.applyDesired(desired(2, [second]));
    for (let turns = 0; turns < 100; turns += 1) await turn();
    assert.deepEqual(holder.applied, { incarnation: 1, generation: 1 });
    for (let step = 0; step < 41; step += 1) {
      clock.advance(durationMs(250));
      for (let turns = 0; turns < 50; turns += 1) await turn();
    }
    assert.deepEqual([...host.rights.keys()], [SESSION]);
    assert.deepEqual(holder.applied, { incarnation: 1, generation: 1 });
    host.stuck.clear();
    clock.advance(durationMs(250));
    await revoking;
    holder.stop();
    assert.equal(host.rights.size, 0);
    assert.deepEqual(holder.applied, { incarnation: 1, generation: 2 });
  });

  it('tells of a revoke once: that the rights are gone, and that the desired state is done', async () => {
    const { holder, host, lease, desired } = setUp();
    const second = lease({ sessionId: `ses-${'1'.repeat(20)}`, epoch: 2 });
    await holder.applyDesired(desired(1, [lease(), second]));
    const told: { readonly held: number; readonly generation: number }[] = [];
    holder.onChange(() => {
      told.push({ held: holder.snapshot.grants.length, generation: holder.applied.generation });
    });
    let stoodDown = (): void => undefined;
    host.disarm = () => new Promise((resolve) => (stoodDown = () => resolve(undefined)));
    const revoking = holder.applyDesired(desired(2, [second]));
    for (let turns = 0; turns < 100; turns += 1) await turn();
    assert.deepEqual(told, [{ held: 1, generation: 2 }], 'not before the remover is stood down, or not in one');
    stoodDown();
    await revoking;
    assert.deepEqual(told, [{ held: 1, generation: 2 }]);
  });

  it('writes its floor down as soon as a disk that failed takes it, and removes meanwhile', async () => {
    const stateFile = new InMemoryStateFile();
    const { holder, host, clock, lease, desired } = setUp(stateFile);
    await holder.applyDesired(desired(1, [lease()]));
    const save = stateFile.save;
    stateFile.save = () => Promise.reject(new CurfewError('DEVICE_STORAGE_FAILED', { file: 'state', detail: 'full' }));
    await holder.applyDesired(desired(2, [], { revokedEpoch: 7 }));
    assert.equal(host.rights.size, 0);
    assert.notEqual(stateFile.saved?.floorEpoch, 7);
    stateFile.save = save;
    holder.start();
    for (let step = 0; step < 8; step += 1) {
      clock.advance(durationMs(250));
      for (let turns = 0; turns < 20; turns += 1) await turn();
    }
    holder.stop();
    assert.equal(stateFile.saved?.floorEpoch, 7);
  });

  const refusals: { name: string; change: Partial<LeaseClaims>; code: string }[] = [
    { name: 'for another device', change: { deviceKeyHash: 'd'.repeat(64) }, code: 'LEASE_WRONG_DEVICE' },
    { name: 'of another incarnation', change: { incarnation: 2 }, code: 'LEASE_WRONG_INCARNATION' },
    { name: 'for a nonce of another process or boot', change: { nonce: 'e'.repeat(32) }, code: 'LEASE_NONCE_UNKNOWN' },
    { name: 'at the floor', change: { epoch: 5 }, code: 'LEASE_REPLAYED' },
    { name: 'whose wall-clock end is over', change: { epoch: 6, wallEndMs: 1 }, code: 'LEASE_EXPIRED' },
    {
      name: 'signed long after now',
      change: { epoch: 6, issuedAtMs: Date.UTC(2030, 0, 1) },
      code: 'LEASE_CLOCK_BEHIND',
    },
  ];
  for (const { name, change, code } of refusals)
    it(`refuses a lease ${name}, and makes nothing`, async () => {
      const { holder, host, lease, desired } = setUp();
      await holder.applyDesired(desired(1, [lease({ epoch: 6, ...change })], { revokedEpoch: 5 }));
      assert.equal(holder.snapshot.ended[0]?.code, code);
      assert.equal(host.asked, 0);
      assert.equal(host.rights.size, 0);
    });

  it('ends on the boot clock when the wall clock is set back, and in the tick after sleep', async () => {
    const { holder, host, clock, lease, desired } = setUp();
    await holder.applyDesired(desired(1, [lease()]));
    assert.equal(host.rights.size, 1);
    clock.suspend(59_999 as never);
    clock.setWall(0 as never);
    await holder.tick();
    assert.equal(host.rights.size, 1);
    clock.suspend(1 as never);
    await holder.tick();
    assert.equal(host.rights.size, 0);
    assert.equal(holder.snapshot.ended[0]?.reason, 'expired');
  });

  it('ends everything, and grants nothing, for a server that is older than it has seen', async () => {
    const { holder, host, lease, desired } = setUp();
    await holder.applyDesired(desired(7, [lease()]));
    await holder.applyDesired(desired(6, [lease()]));
    assert.equal(host.rights.size, 0);
    assert.equal(holder.refusalCode, 'LEDGER_ROLLED_BACK');
    await holder.applyDesired(desired(8, [lease({ sessionId: `ses-${'1'.repeat(20)}`, epoch: 9 })]));
    assert.equal(host.rights.size, 0);
  });

  it('says nothing that is not on disk', async () => {
    const stateFile = new InMemoryStateFile();
    const save = stateFile.save;
    stateFile.save = async (state) => {
      for (let turns = 0; turns < 20; turns += 1) await turn();
      await save(state);
    };
    const { holder, lease, desired } = setUp(stateFile);
    const second = lease({ sessionId: `ses-${'1'.repeat(20)}`, epoch: 2 });
    const third = lease({ sessionId: `ses-${'2'.repeat(20)}`, epoch: 3, nonce: 'e'.repeat(32) });
    let told = 0;
    const look = (): void => {
      const held = (grants: readonly { readonly sessionId: string; readonly phase: string }[] = []) =>
        grants.flatMap(({ sessionId, phase }) => (phase === 'held' ? [sessionId] : []));
      const onDisk = held(stateFile.saved?.grants);
      const ended = stateFile.saved?.ended.map(({ sessionId }) => sessionId) ?? [];
      for (const id of held(holder.snapshot.grants)) assert.ok(onDisk.includes(id), `${id} is held`);
      for (const { sessionId } of holder.snapshot.ended) assert.ok(ended.includes(sessionId), `${sessionId} has ended`);
      told += 1;
    };
    const lookUntil = async (work: Promise<unknown>): Promise<void> => {
      const state = { isOver: false };
      void work.then(() => (state.isOver = true));
      while (!state.isOver) {
        await turn();
        look();
      }
    };
    await lookUntil(holder.applyDesired(desired(1, [lease(), second, third])));
    await lookUntil(holder.endByUser(1000, () => true));
    assert.ok(told > 100);
    assert.deepEqual(holder.snapshot.ended.map(({ reason }) => reason).sort(), [
      'ended_by_user',
      'ended_by_user',
      'refused_by_device',
    ]);
  });

  it('gives nothing for what was signed before, when the floor is lost', async () => {
    const first = setUp();
    const revoked = first.lease();
    await first.holder.applyDesired(first.desired(1, [revoked]));
    await first.holder.applyDesired(first.desired(2, [], { revokedEpoch: 1 }));
    const { holder, host, clock } = setUp(new InMemoryStateFile(), first.host, first.clock);
    holder.nonces.clear();
    holder.nonces.set('d'.repeat(32), clock.bootTime());
    await holder.recover();
    assert.equal(holder.snapshot.floorEpoch, 0);
    const asked = host.asked;
    await holder.applyDesired(first.desired(1, [revoked]));
    assert.equal(holder.snapshot.ended[0]?.code, 'LEASE_NONCE_UNKNOWN');
    assert.deepEqual([host.asked, host.rights.size], [asked, 0]);
  });

  it('ends after a restart what is over on record, also when it cannot look for what is not', async () => {
    const first = setUp();
    await first.holder.applyDesired(first.desired(1, [first.lease()]));
    first.host.list = () => Promise.reject(new Error('EIO: i/o error, scandir'));
    first.clock.suspend(durationMs(60_000));
    const { holder, host } = setUp(first.stateFile, first.host, first.clock);
    await holder.recover();
    assert.equal(host.rights.size, 0);
    assert.equal(holder.snapshot.ended[0]?.reason, 'expired');
  });

  it('looks again for what is not on record until it can, and leaves alone what was given meanwhile', async () => {
    const first = setUp();
    await first.holder.applyDesired(first.desired(1, [first.lease()]));
    const stranger = first.host.rights.get(SESSION)!;
    const { holder, host, clock, desired, lease } = setUp(undefined, first.host, first.clock);
    const { list } = host;
    host.list = () => Promise.reject(new Error('EIO: i/o error, scandir'));
    await holder.recover();
    const given = lease({ sessionId: `ses-${'1'.repeat(20)}` });
    await holder.applyDesired(desired(1, [given]));
    assert.deepEqual([...host.rights.keys()], [stranger.sessionId, given.sessionId]);
    host.list = list;
    clock.advance(durationMs(1_000));
    for (let wait = 0; wait < 20; wait += 1) await turn();
    assert.deepEqual([...host.rights.keys()], [given.sessionId]);
  });

  it('keeps after a restart only what record and machine agree on', async () => {
    const first = setUp();
    await first.holder.applyDesired(first.desired(1, [first.lease()]));
    const second = setUp(first.stateFile, first.host, first.clock);
    await second.holder.recover();
    assert.equal(second.host.rights.size, 1);
    const foreign = { ...first.lease(), sessionId: `ses-${'2'.repeat(20)}` } as unknown as GrantOrder;
    second.host.rights.set(foreign.sessionId, foreign);
    await setUp(first.stateFile, first.host, first.clock).holder.recover();
    assert.deepEqual([...second.host.rights.keys()], [SESSION]);
  });
});
