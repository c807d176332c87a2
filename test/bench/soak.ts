import {
  DeviceServiceService,
  ListDevicesRequest,
  ListSessionsRequest,
  SessionServiceService,
  SessionState,
  WatchSessionsRequest,
} from '@curfew/proto';
import { MINUTE } from '@curfew/shared';
import { readdirSync, statSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { ScriptedDevice } from '../support/scripted-device.js';
import { eventually } from '../support/wait.js';
import { during } from './during.js';
import { Fleet } from './fleet.js';
import { ratio, series, type Outcome } from './outcome.js';
import type { BenchSettings } from './settings.js';
import { quantile, timed } from './statistics.js';
import { watchedUse, type Use } from './use-of-processes.js';

/** Into how many spans the time is divided; each gives one value of every figure. */
const SPANS = 24;
/** A session begins so often, ms. */
const EVERY_MS = 200;
/** How long a session is left alone before it is revoked: at most, ms; and at most a third of a span. */
const HELD_MS = 20_000;
/** One session in so many is left to expire; one in so many is revoked while its device is away. */
const [EXPIRES, REVOKED_AWAY] = [10, 7];
/** How long one lasts that is left to expire, seconds. */
const SHORT = 5;
const CONSOLES = 5;
/** How often it is looked how long SQLite's log is, ms: it fills up and is begun anew all the time. */
const LOG_LOOK_MS = 1_000;
/** How much a flat figure may rise from the second quarter of the time to the last. */
const FLAT = { atMost: 1.2 } as const;

/** What was seen in one span. */
interface Span extends Use {
  readonly revokes: readonly number[];
  readonly echoes: readonly number[];
  readonly handles: number;
  /** The longest that SQLite's log was which it has not yet put into the ledger's file. */
  readonly logMiB: number;
  /** For how long the devices' own process did nothing at the most, ms: after some seconds links are lost, and not the server's fault. */
  readonly heldUpMs: number;
}

/**
 * B13: all devices are linked, and for hours sessions are given, revoked, left to expire, and revoked while their device is away,
 * with consoles that watch. How memory, handles, latency and the ledger's log go meanwhile. Errors: in the end something is not
 * as the operators were told.
 */
export const soak = (settings: BenchSettings): Promise<Outcome> =>
  during(Fleet.start(settings), async (fleet) => {
    const { operator, plane } = fleet;
    await fleet.grow(settings.links.at(-1) ?? 1);
    const told = new Set<string>();
    for (let console = 0; console < CONSOLES; console++)
      await operator.watch(
        SessionServiceService.watchSessions,
        WatchSessionsRequest.fromPartial({ changesOnly: true }),
        ({ session }) => told.add(`${console} ${session?.id ?? ''}`),
      );
    const minutes = settings.soakMinutes / SPANS;
    const work = new Work(fleet, Math.min(HELD_MS, (minutes * MINUTE) / 3));
    const spans: Span[] = [];
    const heldUp = monitorEventLoopDelay();
    heldUp.enable();
    let logMiB = logOf(fleet);
    const logLooks = setInterval(() => {
      logMiB = Math.max(logMiB, logOf(fleet));
    }, LOG_LOOK_MS);
    const working = work.run();
    try {
      while (spans.length < SPANS && !work.isOver) {
        const use = await watchedUse(() => [String(plane.pid)], minutes);
        await eventually(() => work.hasTimes || work.isOver, { withinMs: 60_000, what: 'a revoke in a span' });
        spans.push({ ...use, ...work.takeTimes(), handles: handlesOf(fleet), logMiB, heldUpMs: heldUp.max / 1e6 });
        heldUp.reset();
        logMiB = logOf(fleet);
      }
    } finally {
      work.end();
      heldUp.disable();
      clearInterval(logLooks);
      await working;
    }
    await assertWhole(fleet, work.given);
    // The last word to them is under way when everything is over.
    await eventually(() => told.size === CONSOLES * work.given.size, { withinMs: 30_000 }).catch(() => {
      throw new Error(`of ${work.given.size} sessions ${CONSOLES} consoles were told ${told.size} times`);
    });
    return outcomeOf(fleet.devices.length, spans);
  });

/** How much the server has open. */
const handlesOf = ({ plane }: Fleet): number => readdirSync(`/proc/${plane.pid}/fd`).length;

/** How long the log is now that SQLite has not yet put into the ledger's file, MiB. */
const logOf = ({ plane }: Fleet): number =>
  (statSync(`${plane.ledgerFile}-wal`, { throwIfNoEntry: false })?.size ?? 0) / 2 ** 20;

/** Operators at their work, at an even pace. */
class Work {
  /** Every session that was given. */
  readonly given = new Set<string>();
  isOver = false;
  private readonly free: ScriptedDevice[];
  private revokes: number[] = [];
  private echoes: number[] = [];

  constructor(
    private readonly fleet: Fleet,
    private readonly heldMs: number,
  ) {
    this.free = [...fleet.devices];
  }

  get hasTimes(): boolean {
    return this.revokes.length > 0;
  }

  /** Works until it is told to end and everything that was begun is done. Errors: the first of any session. */
  async run(): Promise<void> {
    const begun = new Set<Promise<void>>();
    const problems: unknown[] = [];
    for (let at = 0; !this.isOver; at++) {
      const device = this.free.shift();
      if (device !== undefined) {
        const one: Promise<void> = this.session(device, at)
          .catch((error: unknown) => {
            problems.push(error);
            this.isOver = true;
          })
          .finally(() => begun.delete(one));
        begun.add(one);
      }
      await pause(EVERY_MS);
    }
    // After a first failure the others may wait for ever.
    if (problems.length === 0) await Promise.all(begun);
    if (problems.length > 0) throw problems[0];
  }

  end(): void {
    this.isOver = true;
  }

  /** What was timed since the last look, ms. */
  takeTimes(): Pick<Span, 'revokes' | 'echoes'> {
    const { revokes, echoes } = this;
    [this.revokes, this.echoes] = [[], []];
    return { revokes, echoes };
  }

  private async session(device: ScriptedDevice, at: number): Promise<void> {
    const { operator } = this.fleet;
    const expires = at % EXPIRES === 0;
    const id = await operator.grant('alice', device.id, expires ? SHORT : undefined);
    this.given.add(id);
    if (!expires) {
      await operator.untilActive(id);
      await pause((at * 7_919) % this.heldMs);
      const revoke = () => operator.revoke({ $case: 'sessions', value: { ids: [id] } });
      if (at % REVOKED_AWAY === 0) {
        device.goOffline();
        await Promise.all([operator.decideEnd(id), pause(1_000).then(() => device.comeBack())]);
      } else {
        const echo = await timed(() => operator.echo());
        const took = await timed(revoke);
        // Both in the same span.
        this.echoes.push(echo);
        this.revokes.push(took);
      }
    }
    await operator.until(id, SessionState.ENDED);
    this.free.push(device);
  }
}

/** The ledger says of each session that it is over, the devices hold none, and all are linked. */
async function assertWhole({ operator, plane, devices }: Fleet, given: ReadonlySet<string>): Promise<void> {
  const ended = new Set<string>();
  for (let pageToken = '', more = true; more; more = pageToken !== '') {
    const filter = { states: [SessionState.ENDED] };
    const page = ListSessionsRequest.fromPartial({ filter, pageSize: 1_000, pageToken });
    const answer = await operator.call(SessionServiceService.listSessions, page);
    for (const { id } of answer.sessions) ended.add(id);
    pageToken = answer.nextPageToken;
  }
  const lost = [...given].filter((id) => !ended.has(id));
  if (lost.length > 0 || ended.size !== given.size)
    throw new Error(`${given.size} sessions were given, ${ended.size} are over; not ${lost.slice(0, 3).join(', ')}`);
  const holding = devices.filter(({ held }) => held.length > 0);
  if (holding.length > 0) throw new Error(`${holding.length} devices hold something`);
  const online = async (): Promise<boolean> => {
    const every = ListDevicesRequest.fromPartial({ filter: { online: true }, pageSize: 1 });
    return (await operator.call(DeviceServiceService.listDevices, every)).totalSize === devices.length;
  };
  await eventually(online, { withinMs: 30_000, what: 'all devices on line' });
  const problem = await plane.auditProblem();
  if (problem !== '') throw new Error(problem);
}

function outcomeOf(links: number, spans: readonly Span[]): Outcome {
  const quarter = (number: number) => spans.slice((SPANS / 4) * (number - 1), (SPANS / 4) * number);
  const middle = (number: number, value: (span: Span) => number): number[] => [
    quantile(quarter(number).map(value), 0.5),
  ];
  const rise = (name: string, value: (span: Span) => number) =>
    ratio(`${name}, last quarter / second`, links, middle(4, value), middle(2, value), FLAT);
  const over = (name: string, unit: Parameters<typeof series>[2], value: (span: Span) => number) =>
    series(name, links, unit, spans.map(value));
  const [p50, p99] = [0.5, 0.99].map((q) => (span: Span) => quantile(span.revokes, q));
  if (p50 === undefined || p99 === undefined) throw new Error('no quantiles');
  const echo = (span: Span): number => quantile(span.echoes, 0.5);
  const perEcho = (span: Span): number => p50(span) / echo(span);
  return {
    ratios: [
      rise('resident memory', ({ residentMiB }) => residentMiB),
      rise('open files and connections', ({ handles }) => handles),
      rise('revoke over a bare call, p50', perEcho),
      rise("the ledger's log at its longest", ({ logMiB }) => logMiB),
    ],
    figures: [
      over('server: resident memory', 'MiB', ({ residentMiB }) => residentMiB),
      over('server: open files and connections', 'handles', ({ handles }) => handles),
      over('server: processor time a minute', 'ms', ({ cpuMs }) => cpuMs),
      over("ledger: SQLite's log, at its longest", 'MiB', ({ logMiB }) => logMiB),
      over('revoke, call to effective, p50', 'ms', p50),
      over('revoke, call to effective, p99', 'ms', p99),
      over('a bare call, p50', 'ms', echo),
      over('devices: their process held up, at most', 'ms', ({ heldUpMs }) => heldUpMs),
    ],
  };
}
