import { EndReason, SessionState, type Session } from '@curfew/proto';
import assert from 'node:assert/strict';
import { DEAD_AGENT_BOUND_MS } from '../support/agent-kills.js';
import type { Device } from '../support/device.js';
import { DeviceWallClock } from '../support/device-wall-clock.js';
import { Fleet } from '../support/fleet.js';
import { describeOn } from '../support/machine-needs.js';
import type { ManagedDevice } from '../support/managed-device.js';
import { AttachedStrace } from '../support/strace-attach.js';
import type { TcpProxy } from '../support/tcp-proxy.js';
import { eventually } from '../support/wait.js';

/** How long after its deadline a right may be there while the agent runs (design: invariant 1), on the boot clock. */
const OVERSTAY_MS = 1_000;
/** What is read of the boot clock is cut to hundredths of a second (proc(5), /proc/uptime). */
const UPTIME_STEP_MS = 10;
/** How long the agent is held up. */
const BLOCK_MS = 3_000;
const HOUR = 3_600;
const JUMPS = [
  { name: 'an hour', seconds: HOUR },
  { name: 'a day', seconds: 24 * HOUR },
  { name: 'ten years', seconds: 10 * 365 * 24 * HOUR },
];

describeOn(['devices', { program: 'faketime' }, { program: 'strace' }], 'a device whose clock jumps', function () {
  this.timeout(180_000);
  const wall = new DeviceWallClock();
  let fleet: Fleet;
  let managed: ManagedDevice;
  let proxy: TcpProxy;
  let worstMs = 0;

  before(async () => {
    fleet = await Fleet.start();
    const prepare = (device: Device): void => wall.set(device, 0);
    ({ managed, proxy } = await fleet.behindProxy({ name: 'web-1', env: wall.env, prepare }));
  });

  after(async () => {
    console.log({ worstMs });
    await fleet.dispose();
  });

  afterEach(async () => {
    wall.set(managed.device, 0);
    for (const { id } of await fleet.operator.live()) await fleet.operator.revoke(id);
    await managed.untilNothingIsLeft();
    // A sleep breaks the link. A lease counts from the hello of its link, so one over the old link would be over already.
    const ups = managed.linkUps;
    proxy.cut();
    proxy.restore();
    await eventually(() => managed.linkUps > ups, { withinMs: 30_000, what: 'a new link' });
  });

  const deadline = (): number => managed.recorded()[0]!.deadline;

  const refusal = async (): Promise<string> => {
    const { id } = await fleet.operator.grant(managed.name, 600);
    const { endReason, endDetail } = await fleet.operator.until(id, [SessionState.ENDED]);
    assert.equal(endReason, EndReason.REFUSED_BY_DEVICE);
    assert.deepEqual([managed.rules(), managed.recorded()], [[], []]);
    await managed.untilDisarmed();
    return endDetail.split(':')[0] ?? '';
  };

  /** Waits until the right is gone. Gives how long after its deadline that was seen. */
  async function untilGone(over: number): Promise<number> {
    const gone = (): boolean => managed.rules().length === 0;
    await eventually(gone, { withinMs: 15_000, everyMs: 5, what: 'the end of the right' });
    const lateMs = Math.round(managed.bootTime() - over);
    worstMs = Math.max(worstMs, lateMs);
    return lateMs;
  }

  /** Lets the boot clock pass the right's deadline, and sees that the right goes then and not before. */
  async function passDeadline(session: Session): Promise<void> {
    const over = deadline();
    assert.equal(managed.rules().length, 1, 'the jump has ended nothing');
    await managed.sleepUntil(over - 1_000);
    const isThere = managed.rules().length === 1;
    // On a machine that stands still the second may be over by now, and what is seen of the end says when it was.
    assert.ok(isThere || managed.bootTime() >= over, 'it lasts until its deadline');
    const lateMs = await untilGone(over);
    assert.ok(lateMs > -UPTIME_STEP_MS && lateMs <= OVERSTAY_MS, `gone ${lateMs} ms after its deadline`);
    assert.equal(await managed.mayBeRoot(), false);
    assert.equal((await fleet.operator.until(session.id, [SessionState.ENDED])).endReason, EndReason.EXPIRED);
  }

  for (const { name, seconds } of JUMPS) {
    it(`back by ${name} lengthens no right, and gives none`, async () => {
      const session = await managed.elevate(600);
      wall.set(managed.device, -seconds);
      await passDeadline(session);
      assert.equal(await refusal(), 'LEASE_CLOCK_BEHIND');
    });

    it(`forward by ${name} ends the right, and gives none`, async () => {
      const { id } = await managed.elevate(600);
      wall.set(managed.device, seconds);
      assert.equal((await fleet.operator.until(id, [SessionState.ENDED])).endReason, EndReason.EXPIRED);
      assert.deepEqual(managed.rules(), []);
      assert.equal(await refusal(), 'LEASE_EXPIRED');
    });
  }

  it('back while the agent is down lengthens nothing either', async () => {
    const session = await managed.elevate(600);
    await managed.agent.stop('SIGKILL');
    wall.set(managed.device, -24 * HOUR);
    await managed.startAgent();
    assert.equal(managed.recorded()[0]?.phase, 'held', managed.agent.output);
    const over = deadline();
    await managed.sleepUntil(over);
    await untilGone(over);
    assert.equal(await managed.mayBeRoot(), false);
    // A server whose certificate is of tomorrow is none that the agent believes; told the time, it tells the server.
    wall.set(managed.device, 0);
    assert.equal((await fleet.operator.until(session.id, [SessionState.ENDED], 30_000)).endReason, EndReason.EXPIRED);
  });

  it('over the deadline, because it slept, ends the right when it wakes', async () => {
    const { id } = await managed.elevate(600);
    const over = deadline() + HOUR * 1_000;
    await managed.sleepUntil(over);
    await untilGone(over);
    assert.equal((await fleet.operator.until(id, [SessionState.ENDED])).endReason, EndReason.EXPIRED);
  });
});

describeOn(['devices', { program: 'strace' }], 'an agent that stands still over a deadline', function () {
  this.timeout(180_000);
  let fleet: Fleet;
  let managed: ManagedDevice;

  before(async () => {
    fleet = await Fleet.start();
    managed = await fleet.device({ name: 'web-1' });
  });

  after(() => fleet.dispose());

  const holdUps: { name: string; begin: () => Promise<() => Promise<unknown>> }[] = [
    {
      name: 'stopped',
      begin: async () => {
        await managed.agent.kill('SIGSTOP');
        return () => managed.agent.kill('SIGCONT');
      },
    },
    {
      name: 'blocked in its event loop',
      begin: async () => {
        const strace = await AttachedStrace.block(managed.device, await managed.agent.pid(), '/proc/uptime', BLOCK_MS);
        return async () => {
          await eventually(() => strace.struck, { withinMs: 20_000, what: 'the end of the hold-up' });
          await strace.detach();
        };
      },
    },
  ];

  for (const { name, begin } of holdUps)
    it(`${name} for ${BLOCK_MS / 1_000} s lengthens nothing: sudo itself refuses`, async () => {
      const { id } = await managed.elevate(10);
      // Looked at now: a look takes its time, and sudo counts in whole seconds.
      assert.equal(await managed.mayBeRoot(), true);
      const over = managed.recorded()[0]!.wallEnd;
      const waitUntil = (ms: number): Promise<true> =>
        eventually(() => Date.now() >= ms, { withinMs: 20_000, everyMs: 5, what: 'a moment' });
      await waitUntil(over - BLOCK_MS / 2);
      assert.ok(managed.rules().length === 1 || Date.now() >= over, 'it is there when the hold-up begins');
      const goOn = await begin();
      await waitUntil(over + OVERSTAY_MS);
      assert.equal(await managed.mayBeRoot(), false);
      await waitUntil(over + BLOCK_MS / 2);
      await goOn();
      await eventually(() => managed.rules().length === 0, { withinMs: DEAD_AGENT_BOUND_MS, what: 'no rule left' });
      await fleet.operator.until(id, [SessionState.ENDED]);
      await managed.untilNothingIsLeft();
    });
});
