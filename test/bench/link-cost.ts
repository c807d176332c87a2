import Database from 'better-sqlite3';
import { BareServer } from './bare-server.js';
import { during } from './during.js';
import { Fleet, spread } from './fleet.js';
import { ratio, single, type Figure, type Outcome, type Ratio } from './outcome.js';
import type { BenchSettings } from './settings.js';
import { watchedUse } from './use-of-processes.js';

const CALLERS = 24;
const MINUTES = 1;

/**
 * B3: what devices cost the server while nothing happens: memory and processor time, over the number of links, beside a
 * server that holds as many links of the same devices and does nothing else; and how much a session leaves in the ledger.
 */
export const linkCost = (settings: BenchSettings): Promise<Outcome> =>
  during(Fleet.start(settings), (fleet) =>
    during(BareServer.start(fleet.plane.folder, settings.serverCore), async (bare) => {
      const figures: Figure[] = [];
      const ratios: Ratio[] = [];
      const look = async (): Promise<readonly [number, number, number]> => {
        const [ours, theirs] = await Promise.all(
          [fleet.plane.pid, bare.pid].map((pid) =>
            watchedUse(() => [String(pid)], Math.min(MINUTES, settings.restMinutes)),
          ),
        );
        if (ours === undefined || theirs === undefined) throw new Error('there is no server');
        return [ours.residentMiB, theirs.residentMiB, ours.cpuMs];
      };
      // The code has run once; what comes then is the links' own.
      await grow(fleet, bare, Math.min(10, settings.links.at(-1) ?? 1));
      const first = fleet.devices.length;
      const [ours, theirs] = await look();
      figures.push(single('server: resident memory', first, 'MiB', [ours]));
      for (const links of settings.links.filter((wanted) => wanted > first)) {
        await grow(fleet, bare, links);
        const [oursNow, theirsNow, cpuMs] = await look();
        const perLink = (now: number, before: number): number => ((now - before) * 1024) / (links - first);
        figures.push(
          single('server: resident memory', links, 'MiB', [oursNow]),
          single('server: memory of a link', links, 'KiB', [perLink(oursNow, ours)]),
          single('bare server: memory of a link', links, 'KiB', [perLink(theirsNow, theirs)]),
          single('server: processor time a minute', links, 'ms', [cpuMs]),
        );
        const [own, other] = [perLink(oursNow, ours), perLink(theirsNow, theirs)];
        ratios.push(ratio('memory of a link / bare', links, [own], [other], { atMost: 1.15 }));
      }
      figures.push(
        single('ledger: a session, from grant to end', fleet.devices.length, 'KiB', [await perSession(fleet)]),
      );
      return { ratios, figures };
    }),
  );

async function grow(fleet: Fleet, bare: BareServer, links: number): Promise<void> {
  const before = fleet.devices.length;
  await fleet.grow(links);
  await bare.links.know(fleet.devices.slice(before).map(({ identity }) => identity));
  await bare.links.link(Buffer.alloc(0), CALLERS);
}

/** Gives a session to each device, revokes all, and gives how much larger the ledger is for each. */
async function perSession({ plane, operator, devices }: Fleet): Promise<number> {
  // What is still in the log counts as well.
  const size = (): number => {
    const ledger = new Database(plane.ledgerFile, { readonly: true });
    const pragma = (name: string): number => Number(ledger.pragma(name, { simple: true }));
    const kib = (pragma('page_count') * pragma('page_size')) / 1024;
    ledger.close();
    return kib;
  };
  const before = size();
  await spread(devices, CALLERS, async ({ id }) => {
    await operator.grant('alice', id);
  });
  await operator.untilNoneStarting();
  await operator.revoke({ $case: 'everything', value: true }, devices.length);
  return (size() - before) / devices.length;
}
