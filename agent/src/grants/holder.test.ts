import { CurfewError, durationMs, ManualClock, silentLogger, type LeaseClaims, type Logger } from '@curfew/shared';
import assert from 'node:assert/strict';
import type { GrantOrder, PrivilegeHost, RightRef } from '../ports/privilege-host.js';
import type { AgentState, StateFile, StoredState } from '../ports/state-file.js';
import { Holder } from './holder.js';
import type { VerifiedDesired } from './verified-state.js';

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
  load = async (): Promise<StoredState> =>
    this.saved === undefined ? { found: 'nothing' } : { found: 'state', state: this.saved };
  save = async (state: AgentState) => void (this.saved = state);
}

function setUp(
  stateFile = new InMemoryStateFile(),
  host = new InMemoryHost(),
  clock = new ManualClock(),
  logger: Logger = silentLogger,
) {
  const holder = new Holder({
    host: host as unknown as PrivilegeHost,
    stateFile,
    accounts: { byKey: async () => ({ ...ACCOUNT, standingAdmin: false, ineligibleReason: '' }), list: async () => [] },
    clock,
    logger,
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

/** Recovers for as long as that may hold up a start. */
async function recoverAtMost(holder: Holder, clock: ManualClock): Promise<void> {
  const recovering = holder.recover();
  for (let turns = 0; turns < 50; turns += 1) await turn();
  clock.advance(durationMs(5_000));
  await recovering;
}

describe('holder', () => {
  it('has made and on record what the lease says of recording, and nothing where it says nothing', async () => {
    const { holder, host, lease, desired } = setUp();
    const recording = { mode: 'output', required: true } as const;
    const other = `ses-${'1'.repeat(20)}`;
    await holder.applyDesired(desired(1, [lease({ recording }), lease({ sessionId: other, epoch: 2 })]));
    assert.deepEqual(host.rights.get(SESSION)?.recording, recording);
    assert.equal('recording' in (host.rights.get(other) ?? {}), false);
    const recorded = holder.snapshot.grants.map((grant) => grant.recording);
    assert.deepEqual(recorded, [recording, undefined]);
  });

  it('says in its log by which call of an operator a right has gone, so that one search finds it everywhere', async () => {
    const lines: unknown[] = [];
    const logger: Logger = {
      ...silentLogger,
      info: (message, fields) => message === 'right removed' && lines.push(fields),
    };
    const { holder, lease, desired } = setUp(undefined, undefined, undefined, logger);
    const other = `ses-${'1'.repeat(20)}`;
    await holder.applyDesired(desired(1, [lease(), lease({ sessionId: other, epoch: 2 })]));
    const notice = { reason: 'revoked', detail: 'by olga: enough', requestId: 'ticket-4711' } as const;
    await holder.applyDesired(desired(2, [], { endNotices: new Map([[SESSION, notice]]) }));
    const account = 'uid:1000';
    assert.deepEqual(lines, [
      { sessionId: SESSION, account, reason: 'revoked', requestId: 'ticket-4711' },
      { sessionId: other, account, reason: 'revoked' },
    ]);
  });

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

  const OTHER = `ses-${'1'.repeat(20)}`;
  const interruptions = [
    {
      name: 'refuses the server',
      interrupt: ({ holder }: ReturnType<typeof setUp>) => holder.refuseServer('CHECKPOINT_INCONSISTENT'),
    },
    {
      name: 'hears of a newer incarnation',
      interrupt: ({ holder, desired }: ReturnType<typeof setUp>) =>
        holder.applyDesired(desired(5, [], { incarnation: 2 })),
    },
    {
      name: 'hears of a newer state without it',
      interrupt: ({ holder, desired }: ReturnType<typeof setUp>) =>
        holder.applyDesired(desired(6, [], { revokedEpoch: 2 })),
    },
  ];
  for (const { name, interrupt } of interruptions)
    it(`gives nothing more of a desired state when it ${name} in the middle of it`, async () => {
      const stage = setUp();
      const { holder, host, lease, desired } = stage;
      host.holdUp = true;
      const granting = holder.applyDesired(desired(5, [lease(), lease({ sessionId: OTHER, epoch: 2 })]));
      while (host.release === undefined) await turn();
      const interrupting = interrupt(stage);
      host.holdUp = false;
      host.release();
      await Promise.all([granting, interrupting]);
      assert.equal(host.asked, 1);
      assert.equal(host.rights.size, 0);
      assert.deepEqual(holder.snapshot.grants, []);
    });

  it('gives nothing more when it stops, neither what is on its way nor what is offered then', async () => {
    const { holder, host, lease, desired } = setUp();
    const [second, third] = ['1', '2'].map((word, at) => lease({ sessionId: `ses-${word.repeat(20)}`, epoch: at + 2 }));
    host.holdUp = true;
    const applied = holder.applyDesired(desired(1, [lease(), second!]));
    while (host.release === undefined) await turn();
    holder.stop();
    const ending = holder.endAll('ended_by_user', '', 'the agent was stopped');
    host.holdUp = false;
    host.release();
    await Promise.all([applied, ending, holder.applyDesired(desired(2, [second!, third!]))]);
    assert.deepEqual([host.asked, host.rights.size, holder.snapshot.grants], [1, 0, []]);
    assert.deepEqual(
      holder.snapshot.ended.map(({ sessionId, reason }) => [sessionId, reason]),
      [[SESSION, 'ended_by_user']],
    );
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

  it('takes what a server signs as soon as that has its time right again', async () => {
    const { holder, host, clock, lease, desired } = setUp();
    const ahead = lease({ issuedAtMs: clock.now() + 2 * 3_600_000, wallEndMs: clock.now() + 3 * 3_600_000 });
    await holder.applyDesired(desired(1, [ahead]));
    assert.deepEqual([holder.snapshot.ended[0]?.code, host.asked], ['LEASE_CLOCK_BEHIND', 0]);
    const other = `ses-${'1'.repeat(20)}`;
    await holder.applyDesired(desired(2, [lease({ sessionId: other, epoch: 2 })]));
    assert.deepEqual([...host.rights.keys()], [other]);
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

  it('ends five hundred rights of one second within the second after it', async () => {
    const { holder, host, clock, lease, desired } = setUp();
    const leases = Array.from({ length: 500 }, (_, at) =>
      lease({ sessionId: `ses-${String(at).padStart(20, '0')}`, epoch: at + 1, durationMs: 60_000 + at }),
    );
    await holder.applyDesired(desired(1, leases));
    assert.equal(host.rights.size, 500);
    clock.advance(durationMs(59_999));
    await holder.tick();
    assert.equal(host.rights.size, 500, 'none ends before its deadline');
    clock.advance(durationMs(501));
    await holder.tick();
    assert.deepEqual([host.rights.size, holder.snapshot.grants, holder.snapshot.ended.length], [0, [], 500]);
    assert.deepEqual([...new Set(holder.snapshot.ended.map(({ reason }) => reason))], ['expired']);
  });

  it('counts the time of a lease from when its nonce was sent', async () => {
    const { holder, clock, lease, desired } = setUp();
    const sent = clock.bootTime();
    clock.advance(durationMs(20_000));
    await holder.applyDesired(desired(1, [lease()]));
    assert.equal(holder.snapshot.grants[0]?.deadline, sent + 60_000);
  });

  it('takes nothing of an older incarnation, however far that has counted', async () => {
    const { holder, host, lease, desired } = setUp();
    await holder.applyDesired(desired(7, [lease({ incarnation: 2 })], { incarnation: 2 }));
    assert.equal(host.rights.size, 1);
    await holder.applyDesired(desired(99, [lease({ epoch: 99 })], { incarnation: 1 }));
    assert.equal(host.rights.size, 0);
    assert.deepEqual([holder.refusalCode, holder.snapshot.incarnation], ['LEDGER_ROLLED_BACK', 2]);
  });

  it('claims to have applied a desired state that ends two rights when both are gone', async () => {
    const { holder, host, lease, desired } = setUp();
    const other = `ses-${'1'.repeat(20)}`;
    await holder.applyDesired(desired(1, [lease(), lease({ sessionId: other, epoch: 2 })]));
    host.stuck.add(other);
    void holder.applyDesired(desired(2, []));
    for (let turns = 0; turns < 50; turns += 1) await turn();
    assert.deepEqual([[...host.rights.keys()], holder.applied.generation], [[other], 1]);
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

  it('goes on refusing a server that it refused before its first desired state, until a newer incarnation', async () => {
    const { holder, host, lease, desired } = setUp();
    await holder.refuseServer('CHECKPOINT_INCONSISTENT');
    await holder.applyDesired(desired(1, [lease()]));
    assert.deepEqual([host.asked, holder.snapshot.grants], [0, []]);
    await holder.applyDesired(desired(1, [lease({ incarnation: 2 })], { incarnation: 2 }));
    assert.equal(host.rights.size, 1);
  });

  for (const given of [0, 1])
    it(`does not claim to have applied what removes nothing and gives ${given} before its floor is on disk`, async () => {
      const stateFile = new InMemoryStateFile();
      const { holder, lease, desired } = setUp(stateFile);
      let release = (): void => undefined;
      const save = stateFile.save;
      stateFile.save = async (state) => {
        await new Promise<void>((resolve) => (release = resolve));
        stateFile.save = save;
        await save(state);
      };
      const applied = holder.applyDesired(desired(3, given === 0 ? [] : [lease()]));
      for (let turns = 0; turns < 50; turns += 1) await turn();
      assert.equal(holder.applied.generation, 0);
      release();
      await applied;
      assert.deepEqual([holder.applied.generation, stateFile.saved?.floorGeneration], [3, 3]);
    });

  it('tells what it has applied with the first right that it makes, once, and writes it down with that', async () => {
    const stateFile = new InMemoryStateFile();
    const { holder, lease, desired } = setUp(stateFile);
    const save = stateFile.save;
    let saves = 0;
    stateFile.save = (state) => {
      saves += 1;
      return save(state);
    };
    const told: string[] = [];
    const heldNow = (): string[] => holder.snapshot.grants.map(({ sessionId, phase }) => `${phase} ${sessionId}`);
    holder.onChange(() => told.push(`${holder.applied.generation}: ${heldNow().join()}`));
    await holder.applyDesired(desired(1, [lease()]));
    assert.deepEqual([told, saves, stateFile.saved?.floorGeneration], [[`1: held ${SESSION}`], 2, 1]);
    await holder.applyDesired(desired(1, [lease()]));
    await holder.applyDesired(desired(2, [lease()]));
    const [again, next] = [`1: held ${SESSION}`, `2: held ${SESSION}`];
    assert.deepEqual([told.slice(1), stateFile.saved?.floorGeneration], [[again, next], 2], 'each state has an answer');
  });

  it('claims at once what ends somewhere else than here, whatever is made meanwhile', async () => {
    const { holder, host, lease, desired } = setUp();
    host.holdUp = true;
    let told = -1;
    holder.onChange(() => (told = holder.applied.generation));
    const endNotices = new Map([[`ses-${'1'.repeat(20)}`, { reason: 'revoked', detail: '', requestId: '' } as const]]);
    const applied = holder.applyDesired(desired(2, [lease()], { endNotices }));
    while (host.release === undefined) await turn();
    assert.equal(told, 2);
    host.release();
    await applied;
  });

  it('tells what it has applied also when it makes nothing of it', async () => {
    const { holder, host, lease, desired } = setUp();
    const told: number[] = [];
    holder.onChange(() => told.push(holder.applied.generation));
    await holder.applyDesired(desired(1, []));
    await holder.applyDesired(desired(2, [], { refused: ['LEASE_MALFORMED'] }));
    await holder.endAll('failed', '', '');
    await holder.applyDesired(desired(3, [lease({ epoch: 0, nonce: 'e'.repeat(32) })]));
    assert.deepEqual([told.at(-1), host.rights.size], [3, 0]);
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
    await lookUntil(holder.endByUser('uid:1000', () => true));
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
    const { holder, host, clock } = setUp(first.stateFile, first.host, first.clock);
    await recoverAtMost(holder, clock);
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
    await recoverAtMost(holder, clock);
    const given = lease({ sessionId: `ses-${'1'.repeat(20)}` });
    await holder.applyDesired(desired(1, [given]));
    assert.deepEqual([...host.rights.keys()], [stranger.sessionId, given.sessionId]);
    host.list = list;
    clock.advance(durationMs(1_000));
    for (let wait = 0; wait < 20; wait += 1) await turn();
    assert.deepEqual([...host.rights.keys()], [given.sessionId]);
  });

  /** What an earlier process has left, of which one right cannot be removed. */
  async function leftBehind(phase: 'intended' | 'held' | 'unknown') {
    const first = setUp();
    const other = first.lease({ sessionId: `ses-${'1'.repeat(20)}`, epoch: 2 });
    await first.holder.applyDesired(first.desired(1, [first.lease({ durationMs: 1_000 }), other]));
    const saved = first.stateFile.saved!;
    const grants = saved.grants.flatMap((grant) => {
      if (grant.sessionId !== SESSION) return [grant];
      return phase === 'unknown' ? [] : [{ ...grant, phase, madeAtMs: phase === 'held' ? grant.madeAtMs : 0 }];
    });
    first.stateFile.saved = { ...saved, grants };
    first.clock.suspend(durationMs(1_000));
    first.host.stuck.add(SESSION);
    const left = setUp(first.stateFile, first.host, first.clock);
    const removers = new Set([SESSION]);
    Object.assign(left.host, {
      armed: async () => [...removers],
      arm: async ({ sessionId }: GrantOrder) => void removers.add(sessionId),
      disarm: async (id: string) => void removers.delete(id),
    });
    await recoverAtMost(left.holder, left.clock);
    return { ...left, other, removers };
  }

  for (const phase of ['intended', 'held', 'unknown'] as const)
    it(`recovers as far as it can when what is left of a right that was ${phase} is stuck`, async () => {
      const { holder, host, clock, stateFile, desired, lease, other, removers } = await leftBehind(phase);
      const third = lease({ sessionId: `ses-${'2'.repeat(20)}`, epoch: 3 });
      await holder.applyDesired(desired(2, [lease({ epoch: 4 }), other, third]));
      const asked = host.asked;
      assert.ok(host.rights.has(third.sessionId), 'what else is given is given');
      await holder.applyDesired(desired(3, [lease({ epoch: 4 }), third]));
      assert.equal(host.rights.has(other.sessionId), false, 'what else ends ends');
      assert.deepEqual([host.rights.has(SESSION), host.asked, removers.has(SESSION)], [true, asked, true]);
      assert.equal(holder.applied.generation, 0, 'nothing is done as long as something is left');
      host.stuck.clear();
      clock.advance(durationMs(250));
      await holder.recovered;
      assert.deepEqual([holder.applied.generation, stateFile.saved?.floorGeneration], [3, 3]);
      const isGiven = phase !== 'held';
      assert.deepEqual([host.rights.has(SESSION), host.asked], [isGiven, asked + (isGiven ? 1 : 0)]);
      const ended = holder.snapshot.ended.map(({ sessionId, reason }) => ({ sessionId, reason }));
      assert.deepEqual(ended, isGiven ? [] : [{ sessionId: SESSION, reason: 'expired' }]);
      assert.equal(removers.has(SESSION), isGiven);
    });

  it('claims no revoke of what an earlier process has left before that is gone', async () => {
    const { holder, host, clock, desired, other, removers } = await leftBehind('unknown');
    await holder.applyDesired(desired(2, [other], { revokedEpoch: 1 }));
    assert.deepEqual([host.rights.has(SESSION), holder.applied.generation, removers.has(SESSION)], [true, 0, true]);
    host.stuck.clear();
    clock.advance(durationMs(250));
    await holder.recovered;
    assert.deepEqual([host.rights.has(SESSION), holder.applied.generation, removers.has(SESSION)], [false, 2, false]);
  });

  it('removes every right and goes no further when a newer agent has written the state, which stays', async () => {
    const first = setUp();
    await first.holder.applyDesired(first.desired(1, [first.lease()]));
    const file = new InMemoryStateFile();
    file.load = async () => ({ found: 'newer', file: 'state.json', version: 2 });
    const { holder, host } = setUp(file, first.host, first.clock);
    await assert.rejects(holder.recover(), { code: 'STATE_NEWER' });
    assert.deepEqual([host.rights.size, file.saved], [0, undefined]);
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
