import { RevokeOutcome, SessionState } from '@curfew/proto';
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { Fleet } from '../support/fleet.js';
import { describeOn } from '../support/machine-needs.js';
import type { ManagedDevice } from '../support/managed-device.js';
import type { Operator } from '../support/operator.js';
import type { TcpProxy } from '../support/tcp-proxy.js';
import { eventually } from '../support/wait.js';

/** How long a link that is dead on one side may look alive; the machine may be slow, so the suite waits longer. */
const [FOUND_WITHIN_MS, PATIENCE_MS] = [10_000, 25_000];

/** Which directions are dead. `up` is from the device to the server. */
const DIRECTIONS = [
  { name: 'up', stalled: { up: true, down: false } },
  { name: 'down', stalled: { up: false, down: true } },
  { name: 'both', stalled: { up: true, down: true } },
] as const;

interface Lane {
  readonly managed: ManagedDevice;
  readonly proxy: TcpProxy;
}

describeOn(['devices'], 'a link that is half open', function () {
  this.timeout(240_000);
  let fleet: Fleet;
  let operator: Operator;
  const lanes = new Map<string, Lane>();
  const lane = (name: string): Lane => lanes.get(name)!;

  before(async () => {
    fleet = await Fleet.start();
    operator = fleet.operator;
    for (const name of [...DIRECTIONS.map((direction) => direction.name), 'lost'])
      lanes.set(name, await fleet.behindProxy({ name }));
  });

  after(() => fleet.dispose());

  it('counts as off line: a revoke is pending until T, never effective, and takes effect when the link is back', async () => {
    const measured = DIRECTIONS.map(async ({ name, stalled }) => {
      const { managed, proxy } = lane(name);
      const { id, expireTime } = await managed.elevate(600);
      proxy.stall(stalled);
      const stalledAt = performance.now();
      // Asked at once, while the link still looks alive; it answers when that is settled.
      const revoked = await operator.revoke(id, PATIENCE_MS / 1000);
      const foundMs = Math.round(performance.now() - stalledAt);
      assert.equal(revoked.outcome, RevokeOutcome.PENDING);
      assert.deepEqual(revoked.diesByTime, expireTime);
      assert.equal(revoked.effectiveTime, undefined);
      assert.equal((await operator.device(name)).online, false);
      // Only the answer is lost where the device could still be told.
      if (!stalled.down) await eventually(async () => !(await managed.mayBeRoot()), { withinMs: 5_000 });
      assert.equal(await managed.mayBeRoot(), stalled.down);
      assert.equal((await operator.revoke(id, 0)).outcome, RevokeOutcome.PENDING);
      assert.equal((await operator.session(id)).state, SessionState.ENDING);
      proxy.restore();
      const backAt = performance.now();
      const ended = await operator.until(id, [SessionState.ENDED], PATIENCE_MS);
      const effectiveMs = Math.round(performance.now() - backAt);
      assert.equal(await managed.mayBeRoot(), false);
      assert.ok(ended.endedTime! > ended.endingTime!);
      return { name, foundMs, effectiveMs };
    });
    const found = await Promise.all(measured);
    console.log(found);
    for (const { name, foundMs } of found) assert.ok(foundMs <= FOUND_WITHIN_MS, `${name} found after ${foundMs} ms`);
  });

  it('that never returns leaves the right until T and no longer; attempts that hang are given up, and made again', async () => {
    const { managed, proxy } = lane('both');
    const { id } = await managed.elevate(10);
    const deadline = managed.recorded()[0]!.deadline;
    proxy.stall();
    const attempts = proxy.accepted;
    assert.equal((await operator.revoke(id, PATIENCE_MS / 1000)).outcome, RevokeOutcome.PENDING);
    await eventually(() => managed.rules().length === 0, { withinMs: PATIENCE_MS, everyMs: 5, what: 'the end at T' });
    console.log({ afterDeadlineMs: Math.round(managed.bootTime() - deadline) });
    assert.equal(await managed.mayBeRoot(), false);
    await eventually(() => proxy.accepted >= attempts + 2, { withinMs: 60_000, what: 'another attempt' });
    assert.equal((await operator.session(id)).state, SessionState.ENDING, 'nobody has confirmed it');
    proxy.restore();
    await operator.until(id, [SessionState.ENDED], PATIENCE_MS);
  });

  it('whose packets vanish is tried again, with no connection left behind, and takes the revoke when it is back', async () => {
    const { managed } = lane('lost');
    const { id } = await managed.elevate(600);
    const sockets = await socketsOf(managed);
    const { network } = managed.device;
    // The device goes on sending: it need not ask any more who its neighbour is, so that nothing tells it that all is lost.
    const neighbour = ['ip', 'neigh', 'replace', network.hostAddress, 'dev', 'eth0'];
    await managed.device.must([...neighbour, 'lladdr', '02:00:00:00:00:99', 'nud', 'permanent']);
    await network.cut();
    assert.equal((await operator.revoke(id, PATIENCE_MS / 1000)).outcome, RevokeOutcome.PENDING);
    const downs = (): number => managed.agent.output.match(/"message":"link down"/g)?.length ?? 0;
    await eventually(() => downs() >= 3, { withinMs: 60_000, what: 'attempts that were given up' });
    // The agent opens files and starts programs besides, for a moment; what is left behind stays and adds up.
    await eventually(async () => (await socketsOf(managed)) <= sockets + 2, {
      withinMs: 20_000,
      what: 'no connection left behind',
    });
    assert.equal(await managed.mayBeRoot(), true);
    await managed.device.must(['ip', 'neigh', 'flush', 'dev', 'eth0', 'nud', 'permanent']);
    await network.restore();
    const backAt = performance.now();
    await operator.until(id, [SessionState.ENDED], PATIENCE_MS);
    console.log({ effectiveMs: Math.round(performance.now() - backAt) });
    assert.equal(await managed.mayBeRoot(), false);
  });
});

/** How many files the agent has open: sockets that are left behind add up. */
async function socketsOf(managed: ManagedDevice): Promise<number> {
  return readdirSync(`/proc/${await managed.agent.pid()}/fd`).length;
}
