import { during } from './during.js';
import { Fleet } from './fleet.js';
import { MeasuredDevice } from './measured-device.js';
import { latency, ratio, type Figure, type Outcome, type Ratio } from './outcome.js';
import type { BenchSettings } from './settings.js';
import { quantile, timed } from './statistics.js';

/** The goals are those for 10,000 links; fewer are no harder. */
const COMPARED = [
  { title: 'p50', q: 0.5, goal: { atMost: 4 } },
  { title: 'p99', q: 0.99, goal: { atMost: 2 } },
] as const;

interface Samples {
  readonly revoke: number[];
  readonly echo: number[];
  readonly files: number[];
}

/**
 * B1: from the call of a revoke to its answer 'effective', which stands for: durable in the ledger, gone on the device,
 * read back there, durable there, and durable in the ledger as ended. In turn with it the bare unary call and the bare
 * file work.
 */
export const revokeLatency = (settings: BenchSettings): Promise<Outcome> =>
  during(Fleet.start(settings), (fleet) =>
    during(MeasuredDevice.start(fleet.plane), async (device) => {
      const figures: Figure[] = [];
      const ratios: Ratio[] = [];
      await fleet.operator.untilReported('measured');
      for (const links of settings.links) {
        await fleet.grow(links - 1);
        // The code is compiled by the first step's warm-up; more links only bring more to look at.
        await rounds(fleet, device, figures.length === 0 ? settings.warmUp : Math.ceil(settings.warmUp / 10));
        const runs: Samples[] = [];
        for (let run = 0; run < settings.runs; run++) runs.push(await rounds(fleet, device, settings.rounds));
        const all = (kind: keyof Samples): number[][] => runs.map((run) => run[kind]);
        const at = (kind: keyof Samples, q: number): number[] => all(kind).map((samples) => quantile(samples, q));
        figures.push(
          latency('revoke, call to effective', links, all('revoke')),
          latency('unary echo (health check)', links, all('echo')),
          latency('file work alone', links, all('files')),
        );
        for (const { title, q, goal } of COMPARED)
          ratios.push(ratio(`revoke / echo, ${title}`, links, at('revoke', q), at('echo', q), goal));
        ratios.push(ratio('revoke / file work alone, p50', links, at('revoke', 0.5), at('files', 0.5)));
      }
      return { ratios, figures };
    }),
  );

async function rounds({ operator }: Fleet, device: MeasuredDevice, count: number): Promise<Samples> {
  const samples: Samples = { revoke: [], echo: [], files: [] };
  for (let round = 0; round < count; round++) {
    const id = await operator.grant('alice', 'measured');
    await operator.untilActive(id);
    expectRules(device, 1);
    samples.echo.push(await timed(() => operator.echo()));
    samples.revoke.push(await timed(() => operator.revoke({ $case: 'sessions', value: { ids: [id] } })));
    expectRules(device, 0);
    device.makeBare();
    samples.files.push(await timed(() => device.removeBare()));
  }
  return samples;
}

function expectRules({ rules }: MeasuredDevice, count: number): void {
  if (rules.length !== count) throw new Error(`${count} rules were expected on the device: ${rules.join(', ')}`);
}
