import type { ConnectorJson, SessionJson } from '../src/gen/api.js';
import { healthOf, PROBLEMS, type Health } from './resource-life.js';
import type { World } from './world.js';

/** How long a system that is well takes to answer, and one that is slow. */
const ANSWER_MS = 350;
const SLOW_ANSWER_MS = 8_400;
/** How long a call waits before it counts as unanswered. */
const CALL_LIMIT_MS = 3_000;
const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 60_000;
/** So many failures in a row open the circuit. */
const FAILURES = 3;

const waits = ({ state }: SessionJson): boolean =>
  state === 'SESSION_STATE_STARTING' || state === 'SESSION_STATE_ENDING';

const connectorFor = (world: World, session: SessionJson): ConnectorJson | undefined => {
  const name = world.resources.get(session.resourceId ?? '')?.connector;
  return [...world.connectors.values()].find((connector) => connector.name === name);
};

/** Has the resource of a session do what the ledger wants, and asks again until it has. */
export function askResource(world: World, id: string, attempt = 1): void {
  const session = world.sessions.get(id);
  if (session === undefined || !waits(session)) return;
  const health = healthOf(world, world.resources.get(session.resourceId ?? ''));
  if (health === 'down') {
    world.later(ANSWER_MS, () => failed(world, id, attempt));
    return;
  }
  const jitter = world.random.fraction() * ANSWER_MS;
  world.later((health === 'slow' ? SLOW_ANSWER_MS : ANSWER_MS) + jitter, () => answered(world, id));
  if (health === 'slow') world.later(CALL_LIMIT_MS, () => overdue(world, id, PROBLEMS.slow, FIRST_WAIT_MS));
}

function answered(world: World, id: string): void {
  const session = world.sessions.get(id);
  if (session === undefined || !waits(session)) return;
  const { unconfirmedSinceTime: _since, nextAttemptTime: _next, attemptError: _error, ...well } = session;
  const { resourceId = '', resourceSubject = '' } = session;
  const members = world.members.get(resourceId) ?? new Set<string>();
  world.members.set(resourceId, members);
  if (session.state === 'SESSION_STATE_STARTING') {
    members.add(resourceSubject);
    world.putSession({ ...well, state: 'SESSION_STATE_ACTIVE', activeTime: world.time() });
    return;
  }
  // What was there before Curfew came is not taken away.
  if (world.standing.get(resourceId)?.has(resourceSubject) !== true) members.delete(resourceSubject);
  world.putSession({ ...well, state: 'SESSION_STATE_ENDED', endedTime: world.time() });
}

/** Marks a session whose resource has not confirmed in time. */
function overdue(world: World, id: string, attemptError: string, nextMs: number): void {
  const session = world.sessions.get(id);
  if (session === undefined || !waits(session)) return;
  world.putSession({
    ...session,
    unconfirmedSinceTime: session.unconfirmedSinceTime ?? world.time(),
    nextAttemptTime: world.time(nextMs),
    attemptError,
  });
}

function failed(world: World, id: string, attempt: number): void {
  const session = world.sessions.get(id);
  if (session === undefined || !waits(session)) return;
  const wait = Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS);
  const connector = connectorFor(world, session);
  if (connector !== undefined)
    world.connectors.set(connector.id ?? '', {
      ...connector,
      circuitOpen: attempt >= FAILURES || connector.circuitOpen === true,
      failingSinceTime: connector.failingSinceTime ?? world.time(),
      nextAttemptTime: world.time(wait),
      lastError: PROBLEMS.down,
    });
  overdue(world, id, PROBLEMS.down, wait);
  world.later(wait, () => askResource(world, id, attempt + 1));
}

/** Makes a system outside slow, dead or well, by its connector's name. Once it is well, it is asked at once. */
export function setHealth(world: World, connectorName: string, health: Health): void {
  world.health.set(connectorName, health);
  const connector = [...world.connectors.values()].find(({ name }) => name === connectorName);
  if (health !== 'well' || connector === undefined) return;
  const {
    circuitOpen: _open,
    failingSinceTime: _since,
    nextAttemptTime: _next,
    lastError: _error,
    ...well
  } = connector;
  world.connectors.set(connector.id ?? '', well);
  for (const [id, session] of world.sessions)
    if (world.resources.get(session.resourceId ?? '')?.connector === connectorName) askResource(world, id);
}
