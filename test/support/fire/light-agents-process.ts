import { randomInt } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { ScriptedDevice, type JoinedServer } from '../scripted-device.js';
import { moment } from './history.js';
import type { LightAgentsOrder } from './light-agents.js';

/** How many enrol at the same time. */
const AT_ONCE = 24;
/** How long a server may take for its first desired state, before the agent goes elsewhere. */
const ANSWER_MS = 20_000;
/** How long it is at least from one link that is begun to the next, ms: one process cannot do the work of thousands at once. */
const APART_MS = 25;
/** How long an agent waits before it links anew: between these, ms. */
const [LEAST_WAIT_MS, MOST_WAIT_MS] = [100, 2_000];

/** So often that is doubled while no server answers. */
const MOST_DOUBLINGS = 4;
/** How often an agent tries to enrol. */
const MOST_ATTEMPTS = 20;

const waitAtMost = (ms: number, work: Promise<void>): Promise<boolean> => {
  const late = new AbortController();
  return Promise.race([
    work.then(
      () => true,
      () => false,
    ),
    pause(ms, false, { signal: late.signal }).catch(() => false),
  ]).finally(() => late.abort());
};

/**
 * Many agents without an operating system, each with its own key, certificate and connection. One whose link has ended goes to
 * any of the servers, and again until one answers. What each holds is written to a file as it comes to hold it. The order comes as
 * the first message; the second lets all of them go.
 */
async function main(order: LightAgentsOrder): Promise<void> {
  const { servers, token, count, file } = order;
  const out = createWriteStream(file);
  const ids: string[] = [];
  let over = false;
  let links = 0;
  const write = (device: string, sessions: readonly string[]): void =>
    void out.write(`${JSON.stringify({ kind: 'holding', at: moment(), device, sessions })}\n`);

  let nextAt = 0;
  /** Resolves when it is the next one's turn. */
  const turn = async (): Promise<void> => {
    nextAt = Math.max(nextAt + APART_MS, performance.now());
    await pause(nextAt - performance.now());
  };
  const follow = (device: ScriptedDevice): void => {
    device.refusesOlder = true;
    device.waitsForServer = false;
    device.onHeld = (sessions) => write(device.id, sessions);
  };

  async function live(first: ScriptedDevice): Promise<void> {
    let device = first;
    for (let failures = 0; ;) {
      await turn();
      if (await waitAtMost(ANSWER_MS, device.goOnline())) {
        failures = 0;
        links++;
        await device.linkEnd;
        links--;
      } else failures = Math.min(failures + 1, MOST_DOUBLINGS);
      device.close();
      if (over) return;
      // Longer and longer, as agents do; and gRPC keeps what is closed open for some seconds.
      await pause(randomInt(LEAST_WAIT_MS, MOST_WAIT_MS * 2 ** failures));
      const next = device.at(any(servers));
      next.floor = device.floor;
      next.held = device.held;
      follow(next);
      device = next;
    }
  }

  /** Enrols a device, as often as that takes: servers that are all asked at once may have no time. */
  async function joined(name: string): Promise<ScriptedDevice> {
    for (let attempt = 1; ; attempt++)
      try {
        return await ScriptedDevice.join(any(servers), token, name, ['alice']);
      } catch (error) {
        if (attempt === MOST_ATTEMPTS) throw error;
        await pause(randomInt(LEAST_WAIT_MS, MOST_WAIT_MS));
      }
  }

  const waiting = Array.from({ length: count }, (_, at) => at);
  const enrol = async (): Promise<void> => {
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      const device = await joined(`light-${at}`);
      follow(device);
      write(device.id, []);
      ids.push(device.id);
      void live(device);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, enrol));
  process.send?.({ ids });
  const telling = setInterval(() => process.send?.({ links }), 250);
  await new Promise((resolve) => process.once('message', resolve));
  over = true;
  clearInterval(telling);
  await new Promise<void>((resolve) => out.end(() => resolve()));
  process.send?.({ isOver: true });
  process.exit(0);
}

const any = (servers: readonly JoinedServer[]): JoinedServer => {
  const server = servers[randomInt(servers.length)];
  if (server === undefined) throw new Error('there is no server');
  return server;
};

process.once('disconnect', () => process.exit(0));
process.once('message', (order) => void main(order as LightAgentsOrder));
