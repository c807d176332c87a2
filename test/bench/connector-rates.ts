import { during } from './during.js';
import { Fleet, spread } from './fleet.js';
import { ratio, single, type Outcome } from './outcome.js';
import { CurfewRights } from './rights/curfew-rights.js';
import { PLACES, type Stage } from './rights/right.js';
import { RightsProcess } from './rights/rights-process-client.js';
import { STAGES } from './rights/stages.js';
import type { BenchSettings } from './settings.js';

const CALLERS = 64;
/** Three say as much as more: all three sides are measured in each. */
const MOST_RUNS = 3;

/** How many a second. */
interface Rates {
  readonly give: number;
  readonly take: number;
}

const SIDES = ['Curfew', 'connector alone', 'library alone'] as const;
type Side = (typeof SIDES)[number];

/** One kind of connector, with its places, and what was measured there. */
interface Measured {
  readonly title: string;
  readonly people: readonly string[];
  readonly stage: Stage;
  readonly curfew: CurfewRights;
  readonly runs: Readonly<Record<Side, Rates>>[];
}

/**
 * B10: grants and revocations a second of each kind of connector, from the call until the resource has confirmed and the
 * ledger says so; in turn with the connector without ledger and driver, and with its library without Curfew.
 */
export async function connectorRates(settings: BenchSettings): Promise<Outcome> {
  const people = Array.from({ length: settings.people }, (_, at) => `person-${at}`);
  const stages: Pick<Measured, 'title' | 'people' | 'stage'>[] = [];
  try {
    for (const { title, start, share } of STAGES) {
      const own = people.slice(0, Math.ceil(people.length * share));
      stages.push({ title, people: own, stage: await start(own) });
    }
    const commandFolder = stages.map(({ stage }) => stage.commandFolder ?? '').join('');
    const options = {
      CURFEW_TIMED_ACCESS_ALLOW_LOCAL_TARGETS: 'true',
      CURFEW_TIMED_ACCESS_COMMAND_FOLDER: commandFolder,
    };
    return await during(Fleet.start(settings, options), ({ operator }) =>
      during(Promise.resolve(RightsProcess.start(settings.serverCore)), async (alone) => {
        await spread(people, CALLERS, (name) => operator.createUser(name));
        const all: Measured[] = [];
        for (const one of stages) {
          const curfew = await CurfewRights.make(
            operator,
            one.stage.places[0]?.kind ?? '',
            one.stage.places,
            one.people,
          );
          all.push({ ...one, curfew, runs: [] });
        }
        // The first run only warms up.
        for (let run = -1; run < Math.min(settings.runs, MOST_RUNS); run++)
          for (const kind of all) {
            const rates = await measureOnce(kind, alone);
            if (run >= 0) kind.runs.push(rates);
          }
        return outcomeOf(all);
      }),
    );
  } finally {
    for (const { stage } of stages) await stage.close();
  }
}

async function measureOnce({ stage, curfew, people }: Measured, alone: RightsProcess): Promise<Record<Side, Rates>> {
  const count = people.length * PLACES;
  const ratesOf = (giveMs: number, takeMs: number): Rates => ({
    give: (count * 1_000) / giveMs,
    take: (count * 1_000) / takeMs,
  });
  const by = async (side: 'connector' | 'library'): Promise<Rates> => {
    const order = { by: side, places: stage.places, people };
    const give = await alone.run({ ...order, what: 'give' });
    await expectHeld(stage, count);
    const take = await alone.run({ ...order, what: 'take' });
    await expectHeld(stage, 0);
    return ratesOf(give, take);
  };
  const { ids, ms } = await curfew.giveAll();
  await expectHeld(stage, count);
  const took = await curfew.takeAll(ids);
  await expectHeld(stage, 0);
  return { Curfew: ratesOf(ms, took), 'connector alone': await by('connector'), 'library alone': await by('library') };
}

/** What was measured counts for nothing when the resource says otherwise. */
async function expectHeld(stage: Stage, count: number): Promise<void> {
  const held = await stage.held();
  if (held !== count) throw new Error(`${held} memberships instead of ${count} at ${stage.places[0]?.kind ?? ''}`);
}

function outcomeOf(all: readonly Measured[]): Outcome {
  const kinds = all.map(({ title, people, runs }) => ({
    title,
    count: people.length * PLACES,
    of: (side: Side, what: keyof Rates): number[] => runs.map((run) => run[side][what]),
  }));
  const words = [
    { what: 'give', word: 'grants' },
    { what: 'take', word: 'revocations' },
  ] as const;
  return {
    ratios: kinds.flatMap(({ title, count, of }) =>
      words.map(({ what, word }) =>
        ratio(`${title}: ${word} / library alone`, count, of('Curfew', what), of('library alone', what), {
          atLeast: 0.7,
        }),
      ),
    ),
    figures: kinds.flatMap(({ title, count, of }) =>
      words.flatMap(({ what, word }) =>
        SIDES.map((side) => single(`${title}: ${word}, ${side}`, count, 'a second', of(side, what))),
      ),
    ),
  };
}
