import {
  type AuditEvent,
  AuditServiceService,
  DeviceServiceService,
  EndReason,
  ListAuditEventsRequest,
  ListSessionsRequest,
  SessionServiceService,
  SessionState,
  type Session,
} from '@curfew/proto';
import { MINUTE } from '@curfew/shared';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ApiClient } from '../api-client.js';
import { ManagedDevice } from '../managed-device.js';
import { Operator } from '../operator.js';
import { scratchFolder } from '../scratch.js';
import { seededRandom } from '../seeded-random.js';
import { eventually } from '../wait.js';
import { violations, type Violation } from './checker.js';
import { Cluster } from './cluster.js';
import { FireDevice } from './fire-device.js';
import { moment, type FinalSession, type Happening, type History } from './history.js';
import { LightAgents } from './light-agents.js';
import { Operators, STANDINGS } from './operators.js';
import { Storm } from './storm.js';

/** How large a run is. */
export interface FireSettings {
  readonly minutes: number;
  /** Hosts with a real agent and a real sudo. */
  readonly devices: number;
  /** Agents without an operating system. */
  readonly agents: number;
  /** What chance begins with. What happens when is not the same in two runs, for it depends on the machine. */
  readonly seed: string;
  /** The share of the blows that is the devices', from 0 to 1: a quarter unless told. */
  readonly devicesShare?: number;
  /** Added to the environment of every server. */
  readonly serverEnv?: Readonly<Record<string, string>>;
  /** Added to the environment of every agent on a host. */
  readonly agentEnv?: Readonly<Record<string, string>>;
}

/** What came of a run. */
export interface FireOutcome {
  readonly violations: readonly Violation[];
  readonly history: History;
  readonly blows: ReadonlyMap<string, number>;
}

/** Takes something away again; what it gives says nothing. */
type Undo = () => unknown;

const SERVERS = 3;
/** How long everything may take to be well again when nothing is broken any more, ms. */
const HEALED_WITHIN_MS = 180_000;
/** However slow a machine is: so many revokes on each host are confirmed while the storm is on. */
const LEAST_REVOKES = 2;
/** How many more agents than there are may enrol. */
const SPARE = 100;
/** How many operators work on hosts, and on light agents. */
const [AT_HOSTS, AT_LIGHT] = [8, 8];
/** On so many hosts somebody may try sudo every second. */
const HOSTS_AT_FULL_PACE = 6;
/**
 * Three servers on one PostgreSQL, hosts and light agents, operators at work on any of the servers; and meanwhile servers, PostgreSQL,
 * agents, devices and networks are struck at random. In the end everything is whole again, everything is revoked, and what was seen
 * is held against the invariants.
 */
export async function underFire(settings: FireSettings, say: (line: string) => void): Promise<FireOutcome> {
  const undo: Undo[] = [];
  try {
    const chance = seededRandom(settings.seed);
    const random = (): number => chance.fraction();
    const happenings: Happening[] = [];
    const tell = (happening: Happening): void => void happenings.push(happening);
    const cluster = await Cluster.start(SERVERS, settings.serverEnv);
    undo.push(() => cluster.dispose());
    const operator = new Operator(cluster.first);
    undo.push(() => operator.close());
    await operator.createUser('alice');

    const devices = await startDevices(settings, cluster, operator, tell, undo);
    say(`${devices.length} hosts are linked`);
    const folder = scratchFolder('fire');
    undo.push(() => rmSync(folder, { recursive: true, force: true }));
    const light = await LightAgents.start({
      servers: cluster.servers.map(({ plane }) => ({ address: plane.address, caFile: plane.caFile })),
      // One that is not answered may have been taken.
      token: await operator.joinToken(settings.agents + SPARE),
      count: settings.agents,
      file: join(folder, 'holdings'),
    });
    undo.push(() => light.kill());
    await light.untilLinked(HEALED_WITHIN_MS);
    say(`${settings.agents} light agents are linked`);

    const operators = new Operators(cluster, random, tell);
    undo.push(() => operators.close());
    const storm = new Storm({ cluster, devices, light, devicesShare: settings.devicesShare ?? 0.25 }, random);
    undo.push(() => storm.end());
    const lightDevices = light.ids.map((id) => ({ id }));
    const workers = [
      storm.rage(),
      operators.revokeAllNowAndThen(Math.max(15_000, settings.minutes * 3_000)),
      ...Array.from({ length: Math.min(AT_HOSTS, devices.length) }, () => operators.work(inTurn(devices, random))),
      ...Array.from({ length: AT_LIGHT }, () => operators.work(inTurn(lightDevices, random))),
    ];
    const hosts = new Set(devices.map(({ id }) => id));
    const enough = async (): Promise<void> => {
      await pause(settings.minutes * MINUTE);
      await eventually(() => revokesAt(hosts, happenings) >= LEAST_REVOKES * hosts.size, {
        withinMs: 5 * MINUTE,
        everyMs: 250,
        what: 'enough revokes that hosts have confirmed',
      });
    };
    try {
      await Promise.race([enough(), Promise.all(workers)]);
      say('the storm is over');
    } finally {
      storm.end();
      operators.end();
      await Promise.allSettled(workers);
    }
    await Promise.all(workers);
    say('everything is whole again');

    await healed(cluster, devices, light, operators);
    await Promise.all(devices.map((device) => device.end()));
    const history = await gather(cluster, devices, light, happenings);
    return { violations: violations(history), history, blows: storm.dealt };
  } finally {
    for (const back of undo.reverse()) await back();
  }
}

/** How many revokes of one session hosts have confirmed by the answer. */
function revokesAt(hosts: ReadonlySet<string>, happenings: readonly Happening[]): number {
  const places = new Map<string, string>();
  for (const one of happenings)
    if (one.kind === 'grant' && one.session !== undefined) places.set(one.session, one.device);
  const isThere = (session: string): boolean => hosts.has(places.get(session) ?? '');
  return happenings.filter(
    (one) =>
      one.kind === 'revoke' &&
      one.sessions?.length === 1 &&
      one.results.some(({ session, effective }) => effective && isThere(session)),
  ).length;
}

async function startDevices(
  { devices: count, agentEnv }: FireSettings,
  cluster: Cluster,
  operator: Operator,
  tell: (happening: Happening) => void,
  undo: Undo[],
): Promise<FireDevice[]> {
  const devices: FireDevice[] = [];
  for (let at = 0; at < count; at++) {
    const name = `host-${at}`;
    const managed = await ManagedDevice.start(cluster.first, operator, {
      name,
      server: (device) => `${device.network.hostAddress}:${cluster.balancer.port}`,
      ...(agentEnv !== undefined && { env: agentEnv }),
    });
    undo.push(() => managed.dispose());
    const device = new FireDevice(
      managed,
      (await operator.device(name)).id,
      tell,
      Math.max(1, count / HOSTS_AT_FULL_PACE),
    );
    undo.push(() => device.end());
    devices.push(device);
  }
  return devices;
}

/** Each of these in turn, from a place of chance. */
function inTurn(items: readonly { readonly id: string }[], random: () => number) {
  let at = Math.floor(random() * items.length);
  return (): { readonly id: string; readonly real?: FireDevice } => {
    const item = items[at++ % items.length];
    if (item === undefined) throw new Error('there is nothing');
    return item instanceof FireDevice ? { id: item.id, real: item } : item;
  };
}

/** Revokes everything, and waits until every agent is there and the ledger says that all of it is over. */
async function healed(
  cluster: Cluster,
  devices: readonly FireDevice[],
  light: LightAgents,
  operators: Operators,
): Promise<void> {
  await light.untilLinked(HEALED_WITHIN_MS);
  for (const { id } of devices) await untilOnline(cluster, id);
  while ((await operators.revoke()) !== 'done') await pause(500);
  const live = async (): Promise<number> => (await sessionsOf(cluster, LIVE)).length;
  // What does not end in that time stands in the history as it is.
  await eventually(async () => (await live()) === 0, { withinMs: HEALED_WITHIN_MS, everyMs: 500 }).catch(
    () => undefined,
  );
}

const untilOnline = (cluster: Cluster, device: string): Promise<unknown> =>
  withOwner(cluster, (owner) =>
    eventually(async () => (await owner.unary(DeviceServiceService.getDevice, { device })).device?.online, {
      withinMs: HEALED_WITHIN_MS,
      everyMs: 200,
      what: `${device} on line`,
    }),
  );

const LIVE = [SessionState.STARTING, SessionState.ACTIVE, SessionState.ENDING];
const ALL = [...LIVE, SessionState.ENDED];

const withOwner = async <T>({ first }: Cluster, work: (owner: ApiClient) => Promise<T>): Promise<T> => {
  const owner = new ApiClient(first.address, first.caFile, { token: first.ownerToken });
  return work(owner).finally(() => owner.close());
};

const sessionsOf = (cluster: Cluster, states: readonly SessionState[]): Promise<Session[]> =>
  withOwner(cluster, async (owner) => {
    const found: Session[] = [];
    let pageToken = '';
    do {
      const page = ListSessionsRequest.fromPartial({ filter: { states: [...states] }, pageSize: 1_000, pageToken });
      const answer = await owner.unary(SessionServiceService.listSessions, page);
      found.push(...answer.sessions);
      pageToken = answer.nextPageToken;
    } while (pageToken !== '');
    return found;
  });

const auditOf = (cluster: Cluster): Promise<AuditEvent[]> =>
  withOwner(cluster, async (owner) => {
    const found: AuditEvent[] = [];
    let pageToken = '';
    do {
      const page = ListAuditEventsRequest.fromPartial({ typePrefix: 'session.', pageSize: 1_000, pageToken });
      const answer = await owner.unary(AuditServiceService.listAuditEvents, page);
      found.push(...answer.events);
      pageToken = answer.nextPageToken;
    } while (pageToken !== '');
    return found;
  });

async function gather(
  cluster: Cluster,
  devices: readonly FireDevice[],
  light: LightAgents,
  happenings: readonly Happening[],
): Promise<History> {
  const wallToMoment = moment() - Date.now();
  const sessions = (await sessionsOf(cluster, ALL)).map((session): FinalSession => ({
    id: session.id,
    device: session.deviceId,
    word: session.reason,
    standing: STANDINGS[session.state] ?? 'starting',
    endReason: EndReason[session.endReason],
    expires: (session.expireTime?.getTime() ?? 0) + wallToMoment,
  }));
  const audited = new Map<string, string[]>();
  for (const { subject, type } of await auditOf(cluster)) audited.set(subject, [...(audited.get(subject) ?? []), type]);
  const left: string[] = [];
  for (const { managed } of devices) {
    const { elevated, rules, armed, recorded } = await managed.look();
    if (elevated) left.push(`alice may use sudo on ${managed.name}`);
    for (const rule of [...rules, ...armed]) left.push(`${rule} on ${managed.name}`);
    for (const { sessionId } of recorded) left.push(`${sessionId} in the record of ${managed.name}`);
  }
  for (const { id, standing } of sessions) if (standing !== 'ended') left.push(`${id} is ${standing}`);
  const auditProblem = await cluster.first.auditProblem();
  const holdings = await light.end();
  for (const [device, held] of new Map(holdings.map(({ device, sessions: now }) => [device, now])))
    if (held.length > 0) left.push(`${held.join(', ')} on ${device}`);
  return {
    happenings: [...happenings, ...holdings],
    sessions,
    audited,
    left,
    auditProblem,
  };
}
