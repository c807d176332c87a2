import { addHistory } from '../support/ledger-history.js';
import type { ScriptedDevice } from '../support/scripted-device.js';
import { askForSession, startSession } from './asked-session.js';
import { during } from './during.js';
import { Fleet, pin, spread } from './fleet.js';
import { changeToConsoles, CONSOLES, MOST_ROUNDS, questionsOf } from './lists.js';
import { latency, ratio, single, type Figure, type Outcome, type Ratio } from './outcome.js';
import type { BenchSettings } from './settings.js';
import { changeRates } from './state-changes.js';
import { quantile, timed } from './statistics.js';

/** The fleet is a part of the rate benchmark's: every device has a long past. Of the latency benchmark's rounds, one in so many. */
const [SHARE, ROUNDS_SHARE] = [5, 4];
const [AT_ONCE, REASON] = [24, 'benchmark'];
const FLAT = { atMost: 1.2 } as const;

/** What was measured of one server in one run: times in ms, or how many a second. */
type Run = ReadonlyMap<string, { readonly kind: 'time' | 'rate'; readonly values: readonly number[] }>;

/**
 * B12: what a long past costs. Two servers alike, with as many devices; every device of the one has had so many sessions, each
 * asked for, approved, started and revoked. Both do the same in turn: what B1, B5 and B7 measure, and a person who asks.
 */
export async function growth(settings: BenchSettings): Promise<Outcome> {
  const [ratios, figures]: [Ratio[], Figure[]] = [[], []];
  for (const past of settings.past) {
    const outcome = await during(Fleet.start(settings, WATCHERS), (young) =>
      during(Fleet.start(settings, WATCHERS), (old) => step(settings, past, young, old)),
    );
    ratios.push(...outcome.ratios);
    figures.push(...outcome.figures);
  }
  return { ratios, figures };
}

const WATCHERS = { CURFEW_LIMITS_WATCHES_PER_TOKEN: String(2 * CONSOLES) };

async function step(settings: BenchSettings, past: number, young: Fleet, old: Fleet): Promise<Outcome> {
  const fleets = [young, old];
  for (const fleet of fleets) {
    await fleet.grow(Math.ceil(settings.bulk / SHARE));
    await spread(fleet.devices, AT_ONCE, async (device) => {
      await wholeLife(fleet, device);
    });
    for (const device of fleet.devices) device.goOffline();
    await fleet.plane.stop();
  }
  // Nobody is linked meanwhile: this process answers nobody.
  const sessions = await addHistory(old.plane, past);
  for (const { plane, devices } of fleets) {
    await plane.run();
    pin(plane.pid, settings.serverCore);
    await spread(devices, AT_ONCE, (device) => device.goOnline());
  }
  const [youngRuns, oldRuns]: [Run[], Run[]] = [[], []];
  // The first round over both warms up.
  for (let run = -1; run < settings.runs; run += 1) {
    const both = await measuredInTurn(settings, young, old);
    if (run < 0) continue;
    youngRuns.push(both.young);
    oldRuns.push(both.old);
  }
  return outcomeOf(sessions, youngRuns, oldRuns);
}

async function measuredInTurn(settings: BenchSettings, young: Fleet, old: Fleet): Promise<{ young: Run; old: Run }> {
  const fleets = [young, old] as const;
  const results = fleets.map(() => new Map<string, { kind: 'time' | 'rate'; values: number[] }>());
  const add = (at: number, name: string, value: number, kind: 'time' | 'rate' = 'time'): void => {
    const known = results[at]?.get(name);
    if (known === undefined) results[at]?.set(name, { kind, values: [value] });
    else known.values.push(value);
  };
  for (let round = 0; round < settings.rounds / ROUNDS_SHARE; round += 1)
    for (const [at, fleet] of fleets.entries()) {
      const device = fleet.devices[round % fleet.devices.length];
      if (device === undefined) throw new Error('there are no devices');
      for (const [name, ms] of Object.entries(await wholeLife(fleet, device))) add(at, name, ms);
    }
  for (const [at, fleet] of fleets.entries()) {
    const { grants, revokes } = await changeRates(fleet);
    add(at, 'revokes, each effective, 64 callers', revokes, 'rate');
    add(at, 'grants, each durable, 64 callers', grants, 'rate');
  }
  const questions = fleets.map(({ operator }) => questionsOf(operator, { device: 'light-0', text: REASON }));
  for (const { operator, devices } of fleets) {
    await spread(devices, AT_ONCE, async ({ id }) => {
      await operator.grant('alice', id);
    });
    await operator.untilNoneStarting();
  }
  const rounds = Math.min(settings.rounds, MOST_ROUNDS);
  for (let round = 0; round < rounds; round += 1)
    for (const [at, own] of questions.entries()) for (const { name, ask } of own) add(at, name, await timed(ask));
  for (const [at, { plane, operator, devices }] of fleets.entries()) {
    const changes = Math.min(rounds, devices.length);
    for (const ms of await changeToConsoles(plane, operator, changes))
      add(at, `a change, until the last of ${CONSOLES} consoles`, ms);
    await operator.revoke({ $case: 'everything', value: true }, devices.length - changes);
  }
  const [first, second] = results;
  if (first === undefined || second === undefined) throw new Error('there are two servers');
  return { young: first, old: second };
}

/** A person on a device asks and is let in, and it is taken away again. Gives what each step took, ms. */
async function wholeLife({ operator }: Fleet, device: ScriptedDevice): Promise<Record<string, number>> {
  let [request, id] = ['', ''];
  const asked = await timed(async () => (request = await askForSession(device, 'alice', REASON)));
  await operator.approve(request);
  const started = await timed(async () => (id = await startSession(device, 'alice', request)));
  await operator.untilActive(id);
  const revoked = await timed(() => operator.revoke({ $case: 'sessions', value: { ids: [id] } }));
  return { 'request, call to answer': asked, 'start, call to answer': started, 'revoke, call to effective': revoked };
}

function outcomeOf(sessions: number, young: readonly Run[], old: readonly Run[]): Outcome {
  const names = [...(old[0]?.keys() ?? [])];
  const of = (runs: readonly Run[], name: string): (readonly number[])[] =>
    runs.map((run) => run.get(name)?.values ?? []);
  const middles = (runs: readonly Run[], name: string): number[] =>
    of(runs, name).map((values) => quantile(values, 0.5));
  const isRate = (name: string): boolean => old[0]?.get(name)?.kind === 'rate';
  const figure = (name: string, runs: readonly Run[], what: string): Figure =>
    isRate(name)
      ? single(`${name}, ${what}`, sessions, 'a second', middles(runs, name))
      : latency(`${name}, ${what}`, sessions, of(runs, name));
  return {
    ratios: names.map((name) => {
      const [without, having] = [middles(young, name), middles(old, name)];
      // What takes longer with a past is above one, whichever way it was measured.
      const [above, below] = isRate(name) ? [without, having] : [having, without];
      return ratio(`${name}: with a past / without`, sessions, above, below, FLAT);
    }),
    figures: names.flatMap((name) => [figure(name, old, 'with a past'), figure(name, young, 'without')]),
  };
}
