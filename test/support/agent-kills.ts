import { RevokeOutcome, SessionState } from '@curfew/proto';
import assert from 'node:assert/strict';
import { shareOf } from './fault-share.js';
import { onEachDevice, pointsOf, strike, type AgentWork } from './faults-at-points.js';
import type { DeviceFindings, ManagedDevice } from './managed-device.js';
import type { Operator } from './operator.js';
import { nameOf, type RunningPoint } from './strace-attach.js';
import { eventually } from './wait.js';

/** The bound for a dead agent (design: invariant 1). */
export const DEAD_AGENT_BOUND_MS = 5_000;

/** So many points may not be passed again when the agent is to die there. */
const MOST_MISSED = 4;

/** What follows a kill: nothing, an operator revokes, or the right's time is over; then the agent starts again. */
type Aftermath = 'restart' | 'revoke' | 'deadline';

interface Kill {
  readonly point: RunningPoint;
  /** What follows when there was no right when the agent died. */
  readonly without: Aftermath;
  /** What follows when there was one. */
  readonly withRight: Aftermath;
}

/** What was tried. */
export interface KillReport {
  points: number;
  kills: number;
  /** How many points were not passed again when the agent was to die there. */
  missed: number;
  /** At how many points the right was there when the agent died. */
  withRight: number;
  worstOverstayMs: number;
}

/** The machine works, and sudo and the record agree: whoever may use sudo is in the record. */
export function assertCovered(found: DeviceFindings): void {
  assert.equal(found.visudo, 0, 'visudo -c');
  assert.equal(found.controlUser, true, "the control user's own rule works");
  const rules = found.rules.filter((name) => !name.startsWith('.'));
  assert.equal(found.elevated, rules.length > 0, `sudo obeys ${JSON.stringify(rules)}`);
  for (const rule of rules)
    assert.ok(
      found.recorded.some(({ sessionId }) => rule.endsWith(sessionId)),
      `${rule} is in the record`,
    );
}

/**
 * Kills the agent at every point of a work, or at the share of them that is to be tried now; after each kill looks at the machine, and at what comes back. Where the
 * right was there when the agent died, it is killed twice: once to start again, once to stay dead until the deadline.
 */
export async function killAtEveryPoint(
  devices: readonly ManagedDevice[],
  operator: Operator,
  work: AgentWork,
): Promise<KillReport> {
  const [first] = devices;
  assert.ok(first);
  const { points, session } = await pointsOf(first, work);
  await settle(first, operator, session.id);
  const report: KillReport = { points: points.length, kills: 0, missed: 0, withRight: 0, worstOverstayMs: 0 };
  const waiting: Kill[] = shareOf(points).map((point, index) => {
    return { point, without: index % 2 === 0 ? 'restart' : 'revoke', withRight: 'restart' };
  });
  const run = async (managed: ManagedDevice, kill: Kill): Promise<void> => {
    const found = await killAndLook(managed, operator, work, kill, report);
    if (found === undefined) {
      report.missed += 1;
      assert.ok(report.missed <= MOST_MISSED, `${report.missed} points were not passed again`);
      return;
    }
    if (!found.elevated || kill.withRight === 'deadline') return;
    report.withRight += 1;
    waiting.push({ ...kill, withRight: 'deadline' });
  };
  await onEachDevice(devices, waiting, run, ({ point, withRight }) => `${nameOf(point)}, ${withRight}`);
  for (const managed of devices) {
    assert.deepEqual(await managed.etcChanges(), [], 'foreign files');
    await eventually(async () => (await managed.removers()) === 0, { withinMs: 30_000, what: 'no remover left' });
  }
  return report;
}

/**
 * Kills the agent once, lets the aftermath follow, and starts it again. Gives what was found when it was dead; undefined when
 * it did not come to the point: some of what it saves it saves together, or only now and then.
 */
async function killAndLook(
  managed: ManagedDevice,
  operator: Operator,
  work: AgentWork,
  { point, without, withRight }: Kill,
  report: KillReport,
): Promise<DeviceFindings | undefined> {
  const { session, strace } = await strike(managed, work, point, 'SIGKILL');
  const endsWithin = (withinMs: number) =>
    eventually(() => managed.agent.end, { withinMs, everyMs: 5 }).catch(() => undefined);
  await endsWithin(15_000);
  await strace.detach();
  // It may have come there at the last moment.
  const end = await endsWithin(2_000);
  if (end === undefined) {
    await settle(managed, operator, session.id);
    return undefined;
  }
  assert.equal(end.signal, 'SIGKILL');
  report.kills += 1;
  const found = await managed.look();
  assertCovered(found);
  switch (found.elevated ? withRight : without) {
    case 'restart':
      break;
    case 'revoke': {
      await managed.untilOffline();
      const { outcome, session: revoked } = await operator.revoke(session.id, 0);
      const confirmed = revoked?.state === SessionState.ENDED;
      assert.equal(outcome, confirmed ? RevokeOutcome.EFFECTIVE : RevokeOutcome.PENDING);
      break;
    }
    case 'deadline':
      report.worstOverstayMs = Math.max(report.worstOverstayMs, await outlive(managed));
      break;
  }
  await managed.startAgent();
  await settle(managed, operator, session.id);
  return found;
}

/** Lets the time of the right that is there pass, with no agent. Gives how long after the deadline it was gone. */
export async function outlive(managed: ManagedDevice): Promise<number> {
  const [recorded] = managed.recorded();
  assert.ok(recorded);
  await managed.sleepUntil(recorded.deadline);
  const over = performance.now();
  await eventually(() => managed.rules().every((name) => name.startsWith('.')), {
    withinMs: DEAD_AGENT_BOUND_MS,
    everyMs: 10,
    what: 'a right that is gone without an agent',
  });
  const overstayMs = Math.round(performance.now() - over);
  assert.equal((await managed.look()).elevated, false);
  return overstayMs;
}

/** Without anybody's help the device and the ledger come to agree; then the session is ended, and nothing is left. */
export async function settle(managed: ManagedDevice, operator: Operator, sessionId: string): Promise<void> {
  await operator.until(sessionId, [SessionState.ACTIVE, SessionState.ENDED]);
  // What the ledger calls active may have ended while the agent was dead; the server hears of it with the next link.
  const session = await eventually(
    async () => {
      const now = await operator.session(sessionId);
      return (now.state === SessionState.ENDED || managed.recorded().some(({ phase }) => phase === 'held')) && now;
    },
    { withinMs: 30_000, what: 'an end, or a record of the right that the server has been told of' },
  );
  if (session.state === SessionState.ACTIVE) {
    assertCovered(await managed.look());
    await managed.untilOnline();
    assert.equal((await operator.revoke(sessionId)).outcome, RevokeOutcome.EFFECTIVE);
  }
  await managed.untilNothingIsLeft();
  const found = await managed.look();
  assertCovered(found);
  assert.equal(found.elevated, false);
}
