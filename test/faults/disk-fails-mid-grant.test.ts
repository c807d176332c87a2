import { EndReason, RevokeOutcome, SessionState } from '@curfew/proto';
import assert from 'node:assert/strict';
import { assertCovered } from '../support/agent-kills.js';
import { granting, onEachDevice, ONE_POOL_THREAD, pointsOf, removing, strike } from '../support/faults-at-points.js';
import { Fleet } from '../support/fleet.js';
import { describeOn } from '../support/machine-needs.js';
import type { ManagedDevice } from '../support/managed-device.js';
import type { Operator } from '../support/operator.js';
import { nameOf, type AttachedStrace, type RunningPoint } from '../support/strace-attach.js';
import { eventually } from '../support/wait.js';

const FAULTS = ['ENOSPC', 'EIO', 'EROFS'] as const;

interface Job {
  readonly point: RunningPoint;
  readonly fault: (typeof FAULTS)[number];
}

/** How a grant may end when one operation has failed. */
function outcomes(point: RunningPoint): SessionState[] {
  // The folder is there already: whether Node then minds the failure depends on its kind.
  if (point.call === 'mkdir') return [SessionState.ACTIVE, SessionState.ENDED];
  // A grant can do without removing a ticket that is not there.
  const ticket = 'path' in point && point.path.includes('/sudo/ts/');
  // Of the records the second is of the intent. The floor in the first is in every later one as well, and without the
  // third the record claims too much.
  const otherRecord = 'path' in point && point.path.startsWith('/var/lib/curfew') && point.nth !== 2;
  return [ticket || otherRecord ? SessionState.ACTIVE : SessionState.ENDED];
}

const everyFault = (points: readonly RunningPoint[]): Job[] =>
  points.filter(({ call }) => call !== 'clone').flatMap((point) => FAULTS.map((fault) => ({ point, fault })));

const nameOfJob = ({ point, fault }: Job): string => `${fault} at ${nameOf(point)}`;

const struck = async (strace: AttachedStrace): Promise<void> => {
  await eventually(() => strace.struck, { withinMs: 10_000, everyMs: 5, what: 'a call that fails' });
  await strace.detach();
};

describeOn(['devices', { program: 'strace' }], 'a disk that fails', function () {
  this.timeout(300_000);
  let fleet: Fleet;
  let operator: Operator;
  const devices: ManagedDevice[] = [];

  before(async () => {
    fleet = await Fleet.start();
    operator = fleet.operator;
    for (const name of ['web-1', 'web-2']) devices.push(await fleet.device({ name, env: ONE_POOL_THREAD }));
  });

  after(() => fleet.dispose());

  afterEach(async () => {
    for (const managed of devices) {
      const found = await managed.look();
      assertCovered(found);
      assert.equal(found.elevated, false);
      assert.deepEqual(await managed.etcChanges(), [], 'foreign files');
    }
  });

  it('while a right is made leaves the right whole, or refuses it with a code and leaves nothing', async () => {
    const work = granting(operator, 600, ({ id }) => operator.until(id, [SessionState.ACTIVE]));
    const { points, session } = await pointsOf(devices[0]!, work);
    await operator.revoke(session.id);
    const refusals = new Map<string, number>();
    const jobs = everyFault(points);
    console.log(`${jobs.length} failures`);
    await onEachDevice(
      devices,
      jobs,
      async (managed, { point, fault }) => {
        const { session, strace } = await strike(managed, work, point, fault);
        const settled = await operator.until(session.id, [SessionState.ACTIVE, SessionState.ENDED]);
        await struck(strace);
        assert.ok(outcomes(point).includes(settled.state), SessionState[settled.state]);
        if (settled.state === SessionState.ENDED) {
          assert.equal(settled.endReason, EndReason.REFUSED_BY_DEVICE);
          const [, code = settled.endDetail, text] = /^([A-Z_]+): (.*)/s.exec(settled.endDetail) ?? [];
          assert.ok(['DEVICE_STORAGE_FAILED', 'REMOVER_UNAVAILABLE'].includes(code), settled.endDetail);
          // Where no folder can be made, Node says that there is none.
          assert.ok(text?.includes(fault) || point.call === 'mkdir', settled.endDetail);
          refusals.set(code, (refusals.get(code) ?? 0) + 1);
        } else assert.equal((await operator.revoke(session.id)).outcome, RevokeOutcome.EFFECTIVE);
        await managed.untilNothingIsLeft();
      },
      nameOfJob,
    );
    console.log(Object.fromEntries(refusals));
  });

  it('while a right is removed stops nothing', async () => {
    const work = removing(operator, 600, ({ id }) => operator.until(id, [SessionState.ENDED]));
    const { points } = await pointsOf(devices[0]!, work);
    const jobs = everyFault(points);
    console.log(`${jobs.length} failures`);
    await onEachDevice(
      devices,
      jobs,
      async (managed, { point, fault }) => {
        const { session, strace } = await strike(managed, work, point, fault);
        const ended = await operator.until(session.id, [SessionState.ENDED]);
        await struck(strace);
        assert.equal(ended.endReason, EndReason.REVOKED);
        assert.deepEqual(managed.rules(), []);
        await eventually(() => managed.recorded().length === 0, { withinMs: 10_000, what: 'an empty record' });
      },
      nameOfJob,
    );
    // What could not be stood down waits for its time, finds nothing to do, and goes when the agent starts again.
    for (const managed of devices) {
      await managed.agent.stop();
      await managed.startAgent();
      await managed.untilNothingIsLeft();
    }
  });
});
