import { ListSessionsRequest, SessionServiceService } from '@curfew/proto';
import Database from 'better-sqlite3';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fillResourceSessions } from '../support/resource-sessions.js';
import { during } from './during.js';
import { Fleet, pin, spread } from './fleet.js';
import { latency, ratio, single, type Figure, type Outcome } from './outcome.js';
import { CurfewRights } from './rights/curfew-rights.js';
import { HeldPlaces, LIMITED_PLACES } from './rights/limited-places.js';
import type { BenchSettings } from './settings.js';
import { quantile, timed } from './statistics.js';

const [CALLERS, PAGE] = [64, 100];
/** How often it is looked whether all have ended. */
const LOOK_MS = 200;

/**
 * B10b: many sessions of resources expire at the same moment. How long until every one is confirmed by its resource, what
 * others wait for meanwhile, and what the server takes for it. Resources count how they are called: a limit that is not
 * kept ends the run.
 */
export async function expiryStorm(settings: BenchSettings): Promise<Outcome> {
  const all: HeldPlaces[] = [];
  try {
    for (const [number, of] of LIMITED_PLACES.entries())
      all.push(await HeldPlaces.start(of, number, settings.expiring));
    const options = { CURFEW_TIMED_ACCESS_ALLOW_LOCAL_TARGETS: 'true', CURFEW_TIMED_ACCESS_COMPARE_EVERY: '1d' };
    return await during(Fleet.start(settings, options), async (fleet) => {
      await prepare(fleet, all);
      const before = await otherWork(fleet, () => false, settings.rounds);
      const { memoryMiB: memoryBefore } = takenBy(fleet.plane.pid);
      const expiresAtMs = await refill(fleet, all, settings.serverCore);
      const storm = await watchStorm(fleet, expiresAtMs);
      for (const places of all) places.checkEnd();
      return outcomeOf({ all, ends: endsOf(fleet, all, expiresAtMs), before, ...storm, memoryBefore });
    });
  } finally {
    for (const { receiver } of all) await receiver.stop();
  }
}

/** One device, everybody's names, and every resource. */
async function prepare(fleet: Fleet, all: readonly HeldPlaces[]): Promise<void> {
  await fleet.grow(1);
  const people = new Set(all.flatMap((places) => places.people));
  await spread([...people], CALLERS, (name) => fleet.operator.createUser(name));
  for (const { name, places } of all) await CurfewRights.make(fleet.operator, name, places, []);
}

/** Gives everybody everything, behind a server that does not run. Gives when it all ends. */
async function refill(
  { plane, devices }: Fleet,
  all: readonly HeldPlaces[],
  core: number | undefined,
): Promise<number> {
  const startMs = await timed(async () => {
    await plane.stop();
    await plane.run();
  });
  await plane.stop();
  // Long enough that the server is there before, whatever the machine is busy with.
  const expiresAtMs = Math.round(Date.now() + 5_000 + 3 * startMs);
  fillResourceSessions(
    plane.ledgerFile,
    all.flatMap(({ held }) => held),
    expiresAtMs,
  );
  await plane.run();
  pin(plane.pid, core);
  for (const device of devices) await device.goOnline();
  if (Date.now() >= expiresAtMs) throw new Error('the server was not there before the sessions expired');
  return expiresAtMs;
}

/** What others wait for, ms. */
interface OtherWork {
  readonly revokes: readonly number[];
  readonly lists: readonly number[];
}

/** Revokes a session of a device and lists a page, again and again: at least `least` times, and while `goesOn` says so. */
async function otherWork({ operator, devices }: Fleet, goesOn: () => boolean, least: number): Promise<OtherWork> {
  const [revokes, lists]: [number[], number[]] = [[], []];
  const page = ListSessionsRequest.fromPartial({ orderBy: 'expire_time', pageSize: PAGE });
  while (revokes.length < least || goesOn()) {
    const id = await operator.grant('alice', devices[0]?.id ?? '');
    await operator.untilActive(id);
    revokes.push(await timed(() => operator.revoke({ $case: 'sessions', value: { ids: [id] } })));
    lists.push(await timed(() => operator.call(SessionServiceService.listSessions, page)));
  }
  return { revokes, lists };
}

/** Waits for the moment and until all have ended; meanwhile does what others do, and looks at the server's memory. */
async function watchStorm(
  fleet: Fleet,
  expiresAtMs: number,
): Promise<{ readonly meanwhile: OtherWork; readonly memoryAtMost: number; readonly processorMs: number }> {
  const db = new Database(fleet.plane.ledgerFile, { readonly: true });
  const open = db.prepare("select count(*) from session where kind = 'timed_access' and state <> 'ended'").pluck();
  let [memoryAtMost, goesOn] = [0, true];
  try {
    await pause(Math.max(0, expiresAtMs - Date.now()));
    const { processorMs } = takenBy(fleet.plane.pid);
    const work = otherWork(fleet, () => goesOn, 1);
    while (open.get() !== 0) {
      memoryAtMost = Math.max(memoryAtMost, takenBy(fleet.plane.pid).memoryMiB);
      await pause(LOOK_MS);
    }
    goesOn = false;
    const after = takenBy(fleet.plane.pid);
    return { meanwhile: await work, memoryAtMost, processorMs: after.processorMs - processorMs };
  } finally {
    db.close();
  }
}

/** What a process takes; nothing where the system does not tell it in files. */
interface Taken {
  /** Resident. */
  readonly memoryMiB: number;
  /** Since it began. */
  readonly processorMs: number;
}

/** Ticks of /proc/PID/stat: 100 a second on every Linux (USER_HZ). */
const TICK_MS = 10;

function takenBy(pid: number): Taken {
  const folder = `/proc/${pid}`;
  if (!existsSync(folder)) return { memoryMiB: 0, processorMs: 0 };
  const [, kibibytes] = /^VmRSS:\s*(\d+)/m.exec(readFileSync(`${folder}/status`, 'utf8')) ?? [];
  // Behind the name, which may hold anything, utime and stime are the 12th and 13th (proc(5)).
  const fields = (readFileSync(`${folder}/stat`, 'utf8').split(') ')[1] ?? '').split(' ');
  return {
    memoryMiB: Number(kibibytes) / 1_024,
    processorMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
  };
}

/** How late each session of each receiver was confirmed to have ended, ms, as the ledger says. */
function endsOf({ plane }: Fleet, all: readonly HeldPlaces[], expiresAtMs: number): number[][] {
  const db = new Database(plane.ledgerFile, { readonly: true });
  try {
    const ends = db
      .prepare('select s.ended_at_ms from session s join resource r on r.id = s.resource_id where r.name = ?')
      .pluck();
    return all.map(({ names }) =>
      names.flatMap((name) => (ends.all(name) as number[]).map((endedAtMs) => endedAtMs - expiresAtMs)),
    );
  } finally {
    db.close();
  }
}

interface Found {
  readonly all: readonly HeldPlaces[];
  readonly ends: readonly (readonly number[])[];
  readonly before: OtherWork;
  readonly meanwhile: OtherWork;
  readonly memoryBefore: number;
  readonly memoryAtMost: number;
  readonly processorMs: number;
}

function outcomeOf({ all, ends, before, meanwhile, memoryBefore, memoryAtMost, processorMs }: Found): Outcome {
  const total = all.reduce((sum, { sessions }) => sum + sessions, 0);
  const bound = all.flatMap((places, at) => (places.leastMs > 0 ? [{ places, late: ends[at] ?? [] }] : []));
  const p50 = (samples: readonly number[]): number[] => [quantile(samples, 0.5)];
  const figures: Figure[] = [
    single('until all are confirmed, greatest lateness', total, 'ms', [Math.max(...ends.flat())]),
    ...all.flatMap(({ of, receiver, sessions }, at) => [
      latency(`${of.title}: lateness`, sessions, [ends[at] ?? []]),
      single(`${of.title}: until all are confirmed`, sessions, 'ms', [Math.max(...(ends[at] ?? []))]),
      single(`${of.title}: calls at once, at most`, sessions, 'calls', [receiver.mostAtOnce]),
      ...(receiver.limits.perSecond > 0
        ? [single(`${of.title}: calls that were told to come again`, sessions, 'calls', [receiver.turnedAway])]
        : []),
    ]),
    ...bound.map(({ places }) =>
      single(`${places.of.title}: the least, by its limit`, places.sessions, 'ms', [places.leastMs]),
    ),
    latency('revoke on a device, before', total, [before.revokes]),
    latency('revoke on a device, meanwhile', total, [meanwhile.revokes]),
    latency('a page of sessions, before', total, [before.lists]),
    latency('a page of sessions, meanwhile', total, [meanwhile.lists]),
    single("the server's processor, each session", total, 'ms', [processorMs / total]),
    single("the server's memory, before", total, 'MiB', [memoryBefore]),
    single("the server's memory, at most", total, 'MiB', [memoryAtMost]),
  ];
  return {
    ratios: [
      ...bound.map(({ places, late }) =>
        ratio(
          `${places.of.title}: until all are confirmed / the least`,
          places.sessions,
          [Math.max(...late)],
          [places.leastMs],
        ),
      ),
      ratio('revoke on a device, p50: meanwhile / before', total, p50(meanwhile.revokes), p50(before.revokes)),
      ratio('a page of sessions, p50: meanwhile / before', total, p50(meanwhile.lists), p50(before.lists)),
    ],
    figures,
  };
}
