import { runTool } from '../support/tool.js';
import { during } from './during.js';
import { Fleet } from './fleet.js';
import { MeasuredDevice } from './measured-device.js';
import { latency, ratio, type Outcome } from './outcome.js';
import { PersonAtWork } from './person-at-work.js';
import type { BenchSettings } from './settings.js';
import { quantile, timed } from './statistics.js';

/** A rule that no Curfew made, for the bare way of giving and taking. */
const BARE_FILE = '/etc/sudoers.d/bare';

/** Of the latency benchmark's rounds, one in so many: each starts several programs. */
const SHARE = 4;

interface Samples {
  readonly revoked: number[];
  readonly granted: number[];
  readonly removed: number[];
  readonly written: number[];
  readonly refused: number[];
  readonly allowed: number[];
}

/**
 * B1b: what the person feels. From the call of a revoke until `sudo -n` is refused in an open shell, and from the call
 * of a grant until it works; in turn with root removing and writing a rule file from outside, and `sudo -n` alone.
 */
export const endToEnd = (settings: BenchSettings): Promise<Outcome> =>
  during(Fleet.start(settings), (fleet) =>
    during(MeasuredDevice.start(fleet.plane), async (device) => {
      const person = new PersonAtWork(device.host, 'alice');
      const count = Math.ceil(settings.rounds / SHARE);
      await fleet.operator.untilReported('measured');
      await rounds(fleet, device, person, Math.ceil(settings.warmUp / SHARE));
      const runs: Samples[] = [];
      for (let run = 0; run < settings.runs; run++) runs.push(await rounds(fleet, device, person, count));
      await person.leave();
      return outcomeOf(runs);
    }),
  );

function outcomeOf(runs: readonly Samples[]): Outcome {
  const samples = (kind: keyof Samples): number[][] => runs.map((run) => run[kind]);
  const middles = (kind: keyof Samples): number[] => samples(kind).map((run) => quantile(run, 0.5));
  return {
    ratios: [
      ratio('revoke until refused / rm until refused, p50', 1, middles('revoked'), middles('removed')),
      ratio('grant until it works / write until it works, p50', 1, middles('granted'), middles('written')),
    ],
    figures: [
      latency('revoke, call to sudo refused', 1, samples('revoked')),
      latency('rm by a process of root to sudo refused', 1, samples('removed')),
      latency('sudo refused, alone', 1, samples('refused')),
      latency('grant, call to sudo that works', 1, samples('granted')),
      latency('rule written by a process of root to sudo that works', 1, samples('written')),
      latency('sudo that works, alone', 1, samples('allowed')),
    ],
  };
}

async function rounds(
  { operator }: Fleet,
  { host }: MeasuredDevice,
  person: PersonAtWork,
  count: number,
): Promise<Samples> {
  const samples: Samples = { revoked: [], granted: [], removed: [], written: [], refused: [], allowed: [] };
  const asRoot = (script: string) => runTool('nsenter', ['-t', String(host.pid), '-m', '--', 'sh', '-c', script]);
  const expect = async (allowed: boolean): Promise<void> => {
    if ((await person.maySudo()) !== allowed) throw new Error(`sudo was to be ${allowed ? 'allowed' : 'refused'}`);
  };
  for (let round = 0; round < count; round++) {
    let id = '';
    samples.granted.push(
      await timed(async () => {
        id = await operator.grant('alice', 'measured');
        while (!(await person.maySudo()));
      }),
    );
    samples.allowed.push(await timed(() => expect(true)));
    await operator.untilActive(id);
    samples.revoked.push(
      await timed(async () => {
        await operator.revoke({ $case: 'sessions', value: { ids: [id] } });
        await expect(false);
      }),
    );
    samples.refused.push(await timed(() => expect(false)));
    const rule = `umask 337; echo '#${await person.uid()} ALL=(ALL:ALL) NOPASSWD: ALL' > ${BARE_FILE}`;
    samples.written.push(
      await timed(async () => {
        await asRoot(rule);
        await expect(true);
      }),
    );
    samples.removed.push(
      await timed(async () => {
        await asRoot(`rm -f ${BARE_FILE}`);
        await expect(false);
      }),
    );
  }
  return samples;
}
