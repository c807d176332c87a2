import { EndReason, RevokeOutcome, SessionState } from '@curfew/proto';
import assert from 'node:assert/strict';
import { assertCovered } from '../support/agent-kills.js';
import { triesAll, withEach } from '../support/fault-share.js';
import {
  granting,
  aimedAnew,
  isUnnamed,
  onEachDevice,
  ONE_POOL_THREAD,
  pointsOf,
  removing,
  strike,
} from '../support/faults-at-points.js';
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

/** What is known for later of a session is no part of its right. */
const ASIDE = ['/run/curfew/processes', '/var/lib/curfew/changes'];
const isAside = (point: RunningPoint): boolean =>
  'path' in point && ASIDE.some((place) => point.path.startsWith(place));

/** How a grant may end when one operation has failed. */
function outcomes(point: RunningPoint): SessionState[] {
  // The folder is there already: whether Node then minds the failure depends on its kind.
  if (point.call === 'mkdir') return [SessionState.ACTIVE, SessionState.ENDED];
  // A grant can do without removing a ticket that is not there.
  const ticket = 'path' in point && point.path.includes('/sudo/ts/');
  if (ticket || isAside(point)) return [SessionState.ACTIVE];
  // Without the record of the intent there is no right. The floor before it is in every later record as well, and without the
  // one after it the record claims too much. Which of them it is varies: a record of the session before may come first.
  return isRecord(point) ? [SessionState.ACTIVE, SessionState.ENDED] : [SessionState.ENDED];
}

const isRecord = (point: RunningPoint): boolean =>
  'path' in point && point.path.startsWith('/var/lib/curfew') && !isAside(point);

/**
 * Starting a process fails in other ways. Where calls can only be counted, a write that is missed may be the one by which
 * Node's threads wake each other, and the agent would wait for ever; such a file is failed as it is opened.
 */
const canFail = (point: RunningPoint): boolean =>
  point.call !== 'clone' && !(point.call === 'write' && isUnnamed(point));

const everyFault = (points: readonly RunningPoint[]): Job[] => withEach(points.filter(canFail), FAULTS);

const nameOfJob = ({ point, fault }: Job): string => `${fault} at ${nameOf(point)}`;

/** So many points may not be passed again: some of what the agent saves it saves together, or only now and then. */
const MOST_UNMET = 4;
let unmet = 0;

/** Waits until a call has failed. Gives whether one has. */
const struck = async (strace: AttachedStrace): Promise<boolean> => {
  await eventually(() => strace.struck, { withinMs: 15_000, everyMs: 5 }).catch(() => undefined);
  await strace.detach();
  if (strace.struck) return true;
  unmet += 1;
  assert.ok(unmet <= MOST_UNMET, `${unmet} points were not passed again`);
  return false;
};

describeOn(['devices', { program: 'strace' }], 'a disk that fails', function () {
  // Every step has a limit of its own.
  this.timeout(600_000);
  let fleet: Fleet;
  let operator: Operator;
  const devices: ManagedDevice[] = [];

  before(async () => {
    fleet = await Fleet.start();
    operator = fleet.operator;
    for (const name of ['web-1', 'web-2']) {
      const managed = await fleet.device({ name, env: ONE_POOL_THREAD });
      devices.push(managed);
      // What an agent does only for its first right would be counted with the points.
      const { id } = await managed.elevate(600);
      await operator.revoke(id);
      await managed.untilNothingIsLeft();
    }
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
    const refusedRecords = new Set<string>();
    const jobs = everyFault(points);
    console.log(`${jobs.length} failures`);
    const waiting = [...jobs];
    let missed = 0;
    const run = async (managed: ManagedDevice, { point, fault }: Job): Promise<void> => {
      const { session, strace } = await strike(managed, work, point, fault);
      const settled = await operator.until(session.id, [SessionState.ACTIVE, SessionState.ENDED]);
      const isMet = await struck(strace);
      const anew = aimedAnew(strace, point, session);
      if (!isMet) assert.equal(settled.state, SessionState.ACTIVE, 'nothing has failed');
      else if (anew !== undefined) {
        missed += 1;
        assert.ok(missed < jobs.length, `always strikes elsewhere, at last at ${strace.struckPath}`);
        waiting.push({ point: anew, fault });
      } else {
        assert.ok(outcomes(point).includes(settled.state), SessionState[settled.state]);
        if (settled.state === SessionState.ENDED) {
          assert.equal(settled.endReason, EndReason.REFUSED_BY_DEVICE);
          const [, code = settled.endDetail, text] = /^([A-Z_]+): (.*)/s.exec(settled.endDetail) ?? [];
          assert.ok(['DEVICE_STORAGE_FAILED', 'REMOVER_UNAVAILABLE'].includes(code), settled.endDetail);
          // Where no folder can be made, Node says that there is none.
          assert.ok(text?.includes(fault) || point.call === 'mkdir', settled.endDetail);
          refusals.set(code, (refusals.get(code) ?? 0) + 1);
          if (isRecord(point)) refusedRecords.add(`${fault} at ${point.call}`);
        }
      }
      if (settled.state === SessionState.ACTIVE)
        assert.equal((await operator.revoke(session.id)).outcome, RevokeOutcome.EFFECTIVE);
      await managed.untilNothingIsLeft();
    };
    await onEachDevice(devices, waiting, run, nameOfJob);
    if (missed > 0) console.log(`${missed} struck elsewhere and were tried again`);
    console.log(Object.fromEntries(refusals));
    // Which record is the intent's varies from time to time: of a share of the faults it may have had few.
    const records = jobs.filter(({ point }) => isRecord(point) && point.call !== 'mkdir');
    const expected = new Set(records.map(({ point, fault }) => `${fault} at ${point.call}`));
    if (triesAll)
      assert.deepEqual([...refusedRecords].sort(), [...expected].sort(), 'no right without the record of its intent');
    else assert.ok(refusedRecords.size > 0, 'no right without the record of its intent');
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
        await eventually(() => managed.recorded().length === 0, { withinMs: 30_000, what: 'an empty record' });
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
