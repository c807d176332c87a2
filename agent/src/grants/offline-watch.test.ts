import { durationMs, ManualClock, MINUTE, SECOND, silentLogger, type LeaseClaims } from '@curfew/shared';
import assert from 'node:assert/strict';
import type { GrantOrder, PrivilegeHost, RightRef } from '../ports/privilege-host.js';
import type { AgentState, StateFile } from '../ports/state-file.js';
import { Holder } from './holder.js';

const [DEVICE, NONCE, SESSION] = ['a'.repeat(64), 'c'.repeat(32), `ses-${'0'.repeat(20)}`];
const ACCOUNT = { name: 'alice', uid: 1000, sid: '', fingerprint: 'b'.repeat(64) };

/** A device in memory: its rights, what its removers are armed for, and its state file outlive the agent. */
class Device {
  readonly clock = new ManualClock();
  readonly rights = new Map<string, GrantOrder>();
  /** Boot time at which the remover of a session would act. */
  readonly armed = new Map<string, number>();
  saved: AgentState | undefined;
  doubts = 0;
  bootId = 'boot-1';

  private readonly host = {
    list: async () =>
      [...this.rights.values()].map(({ sessionId }) => ({ sessionId, kind: 'sudo_rule' as const, uid: 1000 })),
    arm: async ({ sessionId, deadline, wallEnd }: GrantOrder) => {
      const byWall = this.clock.bootTime() + (wallEnd - this.clock.now());
      this.armed.set(sessionId, Math.min(deadline, byWall));
    },
    armed: async () => [...this.armed.keys()],
    disarm: async (sessionId: string) => void this.armed.delete(sessionId),
    inspect: async ({ sessionId }: RightRef) => (this.rights.has(sessionId) ? ('live' as const) : ('absent' as const)),
    grant: async (order: GrantOrder) => void this.rights.set(order.sessionId, order),
    remove: async ({ sessionId }: { readonly sessionId: string }) => void this.rights.delete(sessionId),
  };

  private readonly stateFile: StateFile = {
    load: async () =>
      this.saved === undefined ? { found: 'nothing' as const } : { found: 'state' as const, state: this.saved },
    save: async (state) => void (this.saved = state),
  };

  /** Starts an agent on what is there. */
  async start(): Promise<Holder> {
    const holder = new Holder({
      host: this.host as unknown as PrivilegeHost,
      stateFile: this.stateFile,
      accounts: {
        byKey: async () => ({ ...ACCOUNT, standingAdmin: false, ineligibleReason: '' }),
        list: async () => [],
      },
      clock: this.clock,
      logger: silentLogger,
      bootId: this.bootId,
      deviceKeyHash: DEVICE,
    });
    holder.offline.onDoubt(() => (this.doubts += 1));
    await holder.recover();
    return holder;
  }

  /** Lets time pass in ticks of a second, with everything that each of them sets off. */
  async pass(holder: Holder, seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      this.clock.advance(durationMs(SECOND));
      await holder.tick();
      for (let turns = 0; turns < 30; turns += 1) await Promise.resolve();
    }
  }

  async give(holder: Holder, rule: Partial<LeaseClaims>): Promise<void> {
    holder.offline.setLink(true);
    holder.nonces.set(NONCE, this.clock.bootTime());
    const lease: LeaseClaims = {
      sessionId: SESSION,
      deviceKeyHash: DEVICE,
      account: ACCOUNT,
      options: { kind: 'sudo_rule', passwordRequired: false, commands: [], runAs: '', group: '' },
      incarnation: 1,
      epoch: 1,
      nonce: NONCE,
      durationMs: 60 * MINUTE,
      wallEndMs: this.clock.now() + 60 * MINUTE,
      issuedAtMs: this.clock.now(),
      ...rule,
    };
    const desired = { generation: 1, incarnation: 1, revokedEpoch: 0, leases: [lease], endNotices: new Map(), ...REST };
    await holder.applyDesired(desired);
    assert.equal(this.rights.size, 1);
  }
}

const REST = { refused: [], checkpoint: '', kept: [] };
const RULE = { offlineEndAfterMs: 2 * MINUTE };

describe('the rule that a right ends some time after the link is lost', () => {
  let device: Device;
  let holder: Holder;
  beforeEach(async () => {
    device = new Device();
    holder = await device.start();
  });
  const ends = () => holder.snapshot.ended.map(({ reason, detail }) => [reason, detail]);

  it('ends it that long after, on boot time, and not sooner', async () => {
    await device.give(holder, RULE);
    await device.pass(holder, 300);
    holder.offline.setLink(false);
    await device.pass(holder, 119);
    assert.equal(device.rights.size, 1);
    await device.pass(holder, 1);
    assert.equal(device.rights.size, 0);
    assert.deepEqual(ends(), [['expired', 'the link was down for 2m']]);
  });

  it('leaves it when the link is back in time, however often it goes', async () => {
    await device.give(holder, RULE);
    for (let times = 0; times < 5; times += 1) {
      holder.offline.setLink(false);
      await device.pass(holder, 110);
      holder.offline.setLink(true);
      await device.pass(holder, 10);
    }
    assert.equal(device.rights.size, 1);
  });

  it('does not touch a right without such a rule', async () => {
    await device.give(holder, {});
    holder.offline.setLink(false);
    await device.pass(holder, 600);
    assert.equal(device.rights.size, 1);
    assert.equal(holder.snapshot.grants[0]?.offlineEndAfterMs, undefined);
  });

  it('does not make it longer than its deadline', async () => {
    await device.give(holder, { ...RULE, durationMs: MINUTE, wallEndMs: device.clock.now() + MINUTE });
    holder.offline.setLink(false);
    await device.pass(holder, 60);
    assert.deepEqual(ends(), [['expired', '']]);
  });

  it('counts on through a restart of the agent without a link', async () => {
    await device.give(holder, RULE);
    await device.pass(holder, 60);
    holder.offline.setLink(false);
    await device.pass(holder, 100);
    holder = await device.start();
    await device.pass(holder, 19);
    assert.equal(device.rights.size, 1);
    await device.pass(holder, 1);
    assert.deepEqual(ends(), [['expired', 'the link was down for 2m']]);
  });

  it('counts from when the link was last on record, when the agent died with the link up', async () => {
    await device.give(holder, RULE);
    await device.pass(holder, 100);
    // Killed: nothing was written after the last beat, at most 30 s ago.
    holder = await device.start();
    await device.pass(holder, 89);
    assert.equal(device.rights.size, 1);
    await device.pass(holder, 31);
    assert.equal(device.rights.size, 0);
  });

  it('ends it at the start of an agent whose record does not say when the link was up', async () => {
    await device.give(holder, RULE);
    assert.ok(device.saved);
    const { linkSeen: _, ...without } = device.saved;
    device.saved = without;
    holder = await device.start();
    await device.pass(holder, 1);
    assert.equal(device.rights.size, 0);
  });

  it('has the remover armed for it all the time, should the agent die', async () => {
    await device.give(holder, RULE);
    for (let seconds = 0; seconds < 300; seconds += 10) {
      const left = (device.armed.get(SESSION) ?? 0) - device.clock.bootTime();
      assert.ok(left <= 2 * MINUTE && left > MINUTE, `${left} ms left after ${seconds} s`);
      await device.pass(holder, 10);
    }
    holder.offline.setLink(false);
    await device.pass(holder, 10);
    assert.equal((device.armed.get(SESSION) ?? 0) - device.clock.bootTime(), 110 * SECOND);
  });

  it('takes a sleep for a lost link, and has the link proven anew', async () => {
    await device.give(holder, RULE);
    await device.pass(holder, 10);
    device.clock.advance(durationMs(MINUTE));
    await holder.tick();
    assert.deepEqual([device.doubts, device.rights.size], [1, 1]);
    await device.pass(holder, 60);
    assert.deepEqual(ends(), [['expired', 'the link was down for 2m']]);
  });

  it('ends it at the very wake-up from a sleep that was longer', async () => {
    await device.give(holder, RULE);
    await device.pass(holder, 10);
    device.clock.advance(durationMs(3 * MINUTE));
    await holder.tick();
    assert.equal(device.rights.size, 0);
  });
});
