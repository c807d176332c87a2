import { runTool } from '../support/tool.js';
import { during } from './during.js';
import { Fleet } from './fleet.js';
import { MeasuredDevice } from './measured-device.js';
import { latency, ratio, type Outcome } from './outcome.js';
import { peerParts, startPeers } from './peers/end-to-end-peers.js';
import type { Peer } from './peers/peer.js';
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

/** What each peer took in one run, by its name. */
type PeerSamples = ReadonlyMap<string, number[]>;

/**
 * B1b: what the person feels. From the call of a revoke until `sudo -n` is refused in an open shell, and from the call
 * of a grant until it works; in turn with root removing and writing a rule file from outside, with `sudo -n` alone, and with
 * the other ways in which administrators take sudo from somebody.
 */
export async function endToEnd(settings: BenchSettings): Promise<Outcome> {
  const parts = await peerParts();
  return during(Fleet.start(settings), (fleet) =>
    during(MeasuredDevice.start(fleet.plane), async (device) => {
      const person = new PersonAtWork(device.host, 'alice');
      return during(startPeers(parts, device.host, person), async ({ peers, leftOut }) => {
        const count = Math.ceil(settings.rounds / SHARE);
        await fleet.operator.untilReported('measured');
        await rounds(fleet, device, person, Math.ceil(settings.warmUp / SHARE));
        await peerRounds(peers, 1);
        const runs: Samples[] = [];
        const peerRuns: PeerSamples[] = [];
        for (let run = 0; run < settings.runs; run++) {
          runs.push(await rounds(fleet, device, person, count));
          peerRuns.push(await peerRounds(peers, count));
        }
        await person.leave();
        const own = outcomeOf(runs);
        const others = outcomeOfPeers(peers, peerRuns, runs);
        return {
          ratios: [...others.ratios, ...own.ratios],
          figures: [...own.figures, ...others.figures],
          leftOut,
        };
      });
    }),
  );
}

/** How far ahead of each peer a revoke is. */
function outcomeOfPeers(peers: readonly Peer[], peerRuns: readonly PeerSamples[], runs: readonly Samples[]): Outcome {
  const of = (name: string): number[][] => peerRuns.map((run) => run.get(name) ?? []);
  const middles = (samples: readonly number[][]): number[] => samples.map((run) => quantile(run, 0.5));
  const revoked = middles(runs.map((run) => run.revoked));
  return {
    ratios: peers.map(({ name, ahead }) =>
      ratio(
        `${name} / revoke, until refused, p50`,
        1,
        middles(of(name)),
        revoked,
        ahead === undefined ? undefined : { atLeast: ahead },
      ),
    ),
    figures: peers.map(({ name }) => latency(`${name}, to sudo refused`, 1, of(name))),
  };
}

/** Each peer gives and takes; what the taking took until the person's next `sudo` was refused. */
async function peerRounds(peers: readonly Peer[], count: number): Promise<PeerSamples> {
  const samples = new Map(peers.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round < count; round++)
    for (const peer of peers) {
      const { name, person, everyRounds } = peer;
      if (round % everyRounds !== 0) continue;
      await peer.give();
      if (!(await person.maySudo())) throw new Error(`${name}: sudo was to be allowed`);
      const took = await timed(async () => {
        await peer.take();
        while (await person.maySudo());
      });
      samples.get(name)?.push(took);
    }
  return samples;
}

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
