import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { MINUTE } from '@curfew/shared';
import { BareServer } from './bare-server.js';
import { during } from './during.js';
import { Fleet } from './fleet.js';
import { MeasuredDevice } from './measured-device.js';
import { ratio, type Outcome, type Ratio } from './outcome.js';
import type { BenchSettings } from './settings.js';
import { useFigures, watchedUse, type Use } from './use-of-processes.js';

/** The agent's start is over by then, ms. */
const SETTLING_MS = 30_000;

interface Uses {
  readonly agent: Use;
  readonly follower: Use;
  /** Of a program of Node that holds a link and does nothing else. */
  readonly bare: Use;
}

/**
 * B6: what the agent costs while nothing happens, and while a session goes on in which nothing happens: processor time,
 * wake-ups and memory, of the agent and of the follower. Looks at the device for lasting changes are on, as everywhere; the
 * search for privileged files is left out, which is no part of such a time: it is done at the first start and after a session.
 */
export const agentAtRest = (settings: BenchSettings): Promise<Outcome> =>
  during(Fleet.start(settings), (fleet) =>
    during(BareServer.start(fleet.plane.folder, settings.serverCore), (bare) =>
      during(MeasuredDevice.start(fleet.plane, { cgroups: 2 }), async (device) => {
        const { operator } = fleet;
        await operator.untilReported('measured');
        const bareLink = await bare.linkedProgram();
        await pause(Math.min(SETTLING_MS, settings.restMinutes * MINUTE));
        const idle = await watched(device, bareLink, settings.restMinutes);
        const id = await operator.grant('alice', 'measured');
        await operator.untilActive(id);
        const held = await watched(device, bareLink, settings.restMinutes);
        await operator.revoke({ $case: 'sessions', value: { ids: [id] } });
        return {
          ratios: [...ratios('idle', idle), ...ratios('with a session', held)],
          figures: [
            ...useFigures('agent, idle', idle.agent),
            ...useFigures('follower, idle', idle.follower),
            ...useFigures('agent, with a session', held.agent),
            ...useFigures('follower, with a session', held.follower),
            ...useFigures('bare link', idle.bare),
          ],
        };
      }),
    ),
  );

const ratios = (name: string, { agent, bare }: Uses): Ratio[] => [
  ratio(`agent, ${name} / bare link: resident memory`, 1, [agent.residentMiB], [bare.residentMiB], { atMost: 1.15 }),
  ratio(`agent, ${name} / bare link: wake-ups`, 1, [agent.wakeUps], [bare.wakeUps]),
];

async function watched({ host }: MeasuredDevice, bareLink: number, minutes: number): Promise<Uses> {
  const programs = (command: string) => () =>
    programsIn(readlinkSync(`/proc/${host.pid}/ns/pid`)).filter((pid) => lastArgument(pid) === command);
  const [agent, follower, bare] = await Promise.all([
    watchedUse(programs('run'), minutes),
    watchedUse(programs('follow'), minutes),
    watchedUse(() => [String(bareLink)], minutes),
  ]);
  return { agent, follower, bare };
}

const lastArgument = (pid: string): string | undefined =>
  readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').at(-2);

/** The processes of Node in a pid namespace, by the machine's ids. */
function programsIn(namespace: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readlinkSync(`/proc/${pid}/ns/pid`) === namespace && readlinkSync(`/proc/${pid}/exe`).endsWith('/node');
    } catch {
      // It has just ended, or is one of the kernel's own.
      return false;
    }
  });
}
