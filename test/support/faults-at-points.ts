import type { Session } from '@curfew/proto';
import { MINUTE } from '@curfew/shared';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ManagedDevice } from './managed-device.js';
import type { Operator } from './operator.js';
import type { Fault, WatchedPaths } from './strace-faults.js';
import { AttachedStrace, type RunningPoint } from './strace-attach.js';
import { eventually } from './wait.js';

/** Every folder in which the agent changes anything. */
export const AGENT_FOLDERS: WatchedPaths = [
  '/var/lib/curfew',
  '/run/curfew',
  '/run/sudo',
  '/var/run/sudo',
  '/var/lib/sudo',
  '/etc',
];

/** The environment in which strace counts an agent's file operations one after the other. */
export const ONE_POOL_THREAD = { UV_THREADPOOL_SIZE: '1' };

/** How long the server's sweep may go on into a minute. */
const SWEEP_MS = 1_000;

/** The names in a point's path that are others each time: a session's id, and the word of an arming. */
const [ANY_SESSION, ANY_WORD] = ['SESSION', 'WORD'];

/** What the agent writes whenever it has looked for lasting changes, and what it writes about other sessions than this. */
const OF_NO_WORK = /\/(last-look|privileged-files)\.json|\/ses-[0-9a-z]{20}\b/;

const isOfWork = (point: RunningPoint): boolean => !('path' in point && OF_NO_WORK.test(point.path));

const general = (point: RunningPoint, { id }: Session): RunningPoint =>
  'path' in point
    ? { ...point, path: point.path.replace(id, ANY_SESSION).replace(/(armed\/SESSION\.)\w+/, `$1${ANY_WORD}`) }
    : point;

/** The point's path this time; undefined when it is not decided yet. */
function pathNow(managed: ManagedDevice, point: RunningPoint, { id }: Session): string | undefined {
  if (!('path' in point)) return undefined;
  const path = point.path.replace(ANY_SESSION, id);
  if (!path.endsWith(ANY_WORD)) return path;
  const [armFile] = managed.armed().filter((name) => name.startsWith(id));
  return armFile === undefined ? undefined : join(dirname(path), armFile);
}

/** Whether a point's file has a name that nobody knows before: then the calls of its thread are counted. */
export const isUnnamed = (point: RunningPoint): boolean => 'path' in point && point.path.endsWith(ANY_WORD);

/** Something that the agent does for a session: what starts it, and how its end is seen. */
export interface AgentWork {
  /** Gets everything ready and gives the session; the agent does nothing of the work before `go`. */
  prepare(managed: ManagedDevice): Promise<Session>;
  go(managed: ManagedDevice, session: Session): Promise<unknown>;
  /** Resolves when the work is done and said to be done. */
  done(session: Session): Promise<unknown>;
}

/** Granting. The agent is held up while the ledger decides, so that strace knows the session when it begins. */
export const granting = (operator: Operator, forSeconds: number, done: AgentWork['done']): AgentWork => ({
  prepare: async (managed) => {
    await managed.untilAtRest();
    await managed.agent.kill('SIGSTOP');
    return operator.grant(managed.name, forSeconds);
  },
  go: (managed) => managed.agent.kill('SIGCONT'),
  done,
});

/** Removing a right that is held, because it is revoked. */
export const removing = (operator: Operator, forSeconds: number, done: AgentWork['done']): AgentWork => ({
  prepare: async (managed) => {
    const session = await managed.elevate(forSeconds);
    await managed.untilAtRest();
    return session;
  },
  go: (_, session) => operator.revoke(session.id, 0),
  done,
});

/**
 * Waits until work of so long fits before the server's next sweep. With each full minute the server sends a new
 * checkpoint, and the agent saves it: a write that is of no work, and would be counted with those of this one.
 */
async function clearOfSweep(workMs: number): Promise<void> {
  const intoMinute = Date.now() % MINUTE;
  if (intoMinute < SWEEP_MS) await pause(SWEEP_MS - intoMinute);
  else if (intoMinute > MINUTE - workMs) await pause(MINUTE - intoMinute + SWEEP_MS);
}

/** Lets the agent do the work once, undisturbed, and gives the points that it passes. */
export async function pointsOf(
  managed: ManagedDevice,
  work: AgentWork,
): Promise<{ points: RunningPoint[]; session: Session }> {
  await managed.untilNothingRuns();
  await clearOfSweep(15_000);
  const session = await work.prepare(managed);
  const strace = await AttachedStrace.trace(managed.device, await managed.agent.pid());
  await work.go(managed, session);
  await work.done(session);
  // What follows the report: records that are saved, a remover that is stood down.
  await eventually(() => strace.isQuiet(AGENT_FOLDERS), {
    withinMs: 20_000,
    everyMs: 400,
    what: 'an agent that has done its work',
  });
  const points = strace
    .points(AGENT_FOLDERS)
    .map((point) => general(point, session))
    .filter(isOfWork);
  await strace.detach();
  return { points, session };
}

/** Lets a fault strike the agent while it does the work. */
export async function strike(
  managed: ManagedDevice,
  work: AgentWork,
  point: RunningPoint,
  fault: Fault,
): Promise<{ session: Session; strace: AttachedStrace }> {
  // The processes that an agent starts by itself, to know its machine, would be counted with those of the work.
  if (point.call === 'clone') await managed.untilNothingRuns();
  await clearOfSweep(5_000);
  const session = await work.prepare(managed);
  const path = pathNow(managed, point, session);
  const strace = await AttachedStrace.strike(managed.device, await managed.agent.pid(), point, path, fault);
  await work.go(managed, session);
  return { session, strace };
}

/**
 * Where a point's call can only be counted, the agent may have made more of them before it this time than when the points
 * were found. Gives the point with the count of this time, where an error has struck another call: undefined when it struck
 * where it was to. Said once it has struck.
 */
export function aimedAnew(strace: AttachedStrace, point: RunningPoint, session: Session): RunningPoint | undefined {
  const { struckPath } = strace;
  if (!('path' in point) || struckPath === undefined) return undefined;
  const isIt = (path: string): boolean => {
    const one = general({ ...point, path }, session);
    return 'path' in one && one.path === point.path;
  };
  if (isIt(struckPath)) return undefined;
  // Where the work was given up at the other call, it is the next one that is tried.
  return { ...point, nthOfThread: strace.firstAt(point.call, isIt) ?? point.nthOfThread + 1 };
}

/** Does the jobs on several devices at a time, each on one that is free; a job may add others. Errors: what went wrong first, by name. */
export async function onEachDevice<J>(
  devices: readonly ManagedDevice[],
  waiting: J[],
  run: (managed: ManagedDevice, job: J) => Promise<void>,
  name: (job: J) => string,
): Promise<void> {
  const worked = devices.map(async (managed) => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift())
      try {
        await run(managed, job);
      } catch (error) {
        waiting.length = 0;
        throw new Error(`at ${name(job)}: ${String(error)}\n${managed.agent.output}`, { cause: error });
      }
  });
  // Nothing may run on when this has failed.
  for (const outcome of await Promise.allSettled(worked)) if (outcome.status === 'rejected') throw outcome.reason;
}
