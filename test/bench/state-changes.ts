import { BareLedger } from './bare-ledger.js';
import { during } from './during.js';
import { Fleet, spread } from './fleet.js';
import { ratio, single, type Outcome } from './outcome.js';
import type { BenchSettings } from './settings.js';
import { timed } from './statistics.js';

const CALLERS = 64;

/**
 * B5: what 64 callers together get done in a second, audit tree included: grants that are durable, and revokes that
 * every device has confirmed (two durable changes each). In turn with SQLite itself.
 */
export const stateChanges = (settings: BenchSettings): Promise<Outcome> =>
  during(Fleet.start(settings), (fleet) =>
    during(Promise.resolve(new BareLedger()), async (bare) => {
      await fleet.grow(settings.bulk);
      await round(fleet, bare, settings.bulk);
      const runs: Rates[] = [];
      for (let run = 0; run < settings.runs; run++) runs.push(await round(fleet, bare, settings.bulk));
      return outcomeOf(runs, settings.bulk);
    }),
  );

/** How many a second. */
interface Rates {
  readonly grants: number;
  readonly revokes: number;
  readonly alone: number;
  readonly grouped: number;
}

async function round(fleet: Fleet, bare: BareLedger, bulk: number): Promise<Rates> {
  return { ...(await changeRates(fleet)), alone: bare.changes(bulk, 1), grouped: bare.changes(bulk, CALLERS) };
}

/** Has 64 callers grant something on every device, and revoke all of that. */
export async function changeRates({ operator, devices }: Fleet): Promise<Pick<Rates, 'grants' | 'revokes'>> {
  const ids: string[] = [];
  const rateOf = (ms: number): number => (devices.length * 1_000) / ms;
  const grants = await timed(() =>
    spread(devices, CALLERS, async ({ id }) => void ids.push(await operator.grant('alice', id))),
  );
  await operator.untilNoneStarting();
  const revokes = await timed(() =>
    spread(ids, CALLERS, (id) => operator.revoke({ $case: 'sessions', value: { ids: [id] } })),
  );
  return { grants: rateOf(grants), revokes: rateOf(revokes) };
}

function outcomeOf(runs: readonly Rates[], bulk: number): Outcome {
  const all = (kind: keyof Rates): number[] => runs.map((run) => run[kind]);
  return {
    ratios: [
      ratio('revokes / bare transactions', bulk, all('revokes'), all('alone'), { atLeast: 0.6 }),
      ratio('grants / bare transactions', bulk, all('grants'), all('alone')),
    ],
    figures: [
      single('revokes, each effective, 64 callers', bulk, 'a second', all('revokes')),
      single('grants, each durable, 64 callers', bulk, 'a second', all('grants')),
      single('bare SQLite, a transaction each', bulk, 'a second', all('alone')),
      single('bare SQLite, 64 in a transaction', bulk, 'a second', all('grouped')),
    ],
  };
}
