import { BareServer } from './bare-server.js';
import { during } from './during.js';
import { Fleet, pin, spread } from './fleet.js';
import { latency, ratio, single, type Outcome } from './outcome.js';
import type { BenchSettings } from './settings.js';
import { quantile, timed } from './statistics.js';

/** How many come at the same time: of more, this one process could not make the connections while their agents' patience lasts. */
const AT_ONCE = 1_000;

/**
 * B4: the server is stopped and started anew, and all devices come back at once, with the patience that agents have: until the
 * last has its desired state, beside as many bare links of the same devices to a bare server; and what a revoke takes meanwhile on
 * devices that are back.
 */
export const reconnectStorm = (settings: BenchSettings): Promise<Outcome> =>
  during(Fleet.start(settings), (fleet) =>
    during(BareServer.start(fleet.plane.folder, settings.serverCore), async (bare) => {
      const { plane, devices } = fleet;
      await fleet.grow(settings.bulk);
      await bare.links.know(devices.map(({ identity }) => identity));
      const [ours, theirs, revokes]: [number[], number[], number[][]] = [[], [], []];
      for (let run = 0; run < settings.runs; run += 1) {
        for (const device of devices) device.goOffline();
        await plane.stop();
        await plane.run();
        pin(plane.pid, settings.serverCore);
        const storm = returning(fleet);
        ours.push(await timed(() => storm.over));
        revokes.push(await storm.revokes);
        theirs.push(await timed(() => bare.links.link(NOTHING, AT_ONCE)));
        await bare.links.unlink();
      }
      const rate = (times: readonly number[]): number[] => times.map((ms) => (devices.length * 1_000) / ms);
      const worst = revokes.map((run) => quantile(run, 0.99));
      return {
        ratios: [
          ratio('devices back a second / bare links a second', settings.bulk, rate(ours), rate(theirs), {
            atLeast: 0.7,
          }),
        ],
        figures: [
          single('devices back, each with its desired state', settings.bulk, 'a second', rate(ours)),
          single('bare links', settings.bulk, 'a second', rate(theirs)),
          latency('revoke meanwhile, call to effective', settings.bulk, revokes),
          single('revoke meanwhile, p99', settings.bulk, 'ms', worst, { atMost: 250 }),
        ],
      };
    }),
  );

const NOTHING = Buffer.alloc(0);

/** Lets all devices come back; revokes one right after the other meanwhile, on the first that is back. */
function returning({ devices, operator }: Fleet): {
  readonly over: Promise<void>;
  readonly revokes: Promise<number[]>;
} {
  let isOver = false;
  const [first, ...rest] = devices;
  if (first === undefined) throw new Error('there are no devices');
  const back = first.comeBack();
  const over = Promise.all([back, spread(rest, AT_ONCE - 1, (device) => device.comeBack())]).then(() => {
    isOver = true;
  });
  const revoking = async (): Promise<number[]> => {
    const took: number[] = [];
    await back;
    do {
      const id = await operator.grant('alice', first.id);
      await operator.untilActive(id);
      took.push(await timed(() => operator.revoke({ $case: 'sessions', value: { ids: [id] } })));
    } while (!isOver);
    return took;
  };
  return { over, revokes: revoking() };
}
