import type { ResourceDriftJson, ResourceJson, SessionJson } from '../src/gen/api.js';
import { healthOf, PROBLEMS } from './resource-life.js';
import { resourceUnreachable } from './resource-refusals.js';
import { endSession, isOpen } from './session-life.js';
import type { World } from './world.js';

/** Refused when the resource does not answer. */
export function assertAnswers(world: World, resource: ResourceJson): void {
  if (healthOf(world, resource) === 'down') throw resourceUnreachable(resource.name ?? '', PROBLEMS.down);
}

/**
 * Compares the ledger with the resource: a session whose membership somebody has taken away ends. Refused when it does not
 * answer; then nothing changes.
 */
export function compare(world: World, resource: ResourceJson): ResourceJson {
  assertAnswers(world, resource);
  const { id = '', name = '' } = resource;
  const members = world.members.get(id) ?? new Set<string>();
  world.standing.set(id, new Set([...(world.standing.get(id) ?? [])].filter((subject) => members.has(subject))));
  const sessions = [...world.sessions.values()].filter(({ resourceId }) => resourceId === id);
  const removed = sessions.filter(
    ({ state, resourceSubject = '' }) => state === 'SESSION_STATE_ACTIVE' && !members.has(resourceSubject),
  );
  for (const session of removed) {
    const detail = `RESOURCE_REMOVED_BY_HAND: somebody else took the resource '${name}' from '${session.resourceSubject ?? ''}'`;
    const ending = endSession(world, session.id ?? '', 'END_REASON_TAMPERED', '', detail);
    // The resource has just said that it is gone.
    if (ending !== undefined) world.putSession({ ...ending, state: 'SESSION_STATE_ENDED', endedTime: world.time() });
  }
  const found: ResourceDriftJson[] = [
    ...removed.map(({ id: sessionId = '', resourceSubject: subject = '' }) => ({
      kind: 'DRIFT_KIND_REMOVED_BY_HAND' as const,
      subject,
      sessionId,
    })),
    ...removedBefore(world, resource, sessions, members),
    ...addedByHand(world, resource, sessions, members),
  ];
  const keyOf = (drift: ResourceDriftJson): string => `${drift.kind} ${drift.subject} ${drift.sessionId}`;
  const known = new Map((resource.drift ?? []).map((drift) => [keyOf(drift), drift]));
  const drift = found.map((one) => known.get(keyOf(one)) ?? { ...one, id: world.id('drift'), seenTime: world.time() });
  const compared = { ...resource, drift, comparedTime: world.time() };
  world.resources.set(id, compared);
  return compared;
}

const isHeld = (sessions: readonly SessionJson[], subject: string | undefined): boolean =>
  sessions.some((session) => session.resourceSubject === subject && isOpen(session));

/** What was found removed before stays in sight until its session would have ended, or it is there again. */
function removedBefore(
  world: World,
  resource: ResourceJson,
  sessions: readonly SessionJson[],
  members: ReadonlySet<string>,
): ResourceDriftJson[] {
  return (resource.drift ?? []).filter(({ kind, subject = '', sessionId }) => {
    const until = Date.parse(world.sessions.get(sessionId ?? '')?.expireTime ?? '');
    const isOver = members.has(subject) || isHeld(sessions, subject) || !(until > world.clock.now());
    return kind === 'DRIFT_KIND_REMOVED_BY_HAND' && !isOver;
  });
}

function addedByHand(
  world: World,
  resource: ResourceJson,
  sessions: readonly SessionJson[],
  members: ReadonlySet<string>,
): ResourceDriftJson[] {
  const standing = world.standing.get(resource.id ?? '') ?? new Set<string>();
  return [...members]
    .filter((subject) => !standing.has(subject) && !isHeld(sessions, subject))
    .map((subject) => {
      const ended = sessions.find(({ resourceSubject }) => resourceSubject === subject);
      return ended === undefined
        ? { kind: 'DRIFT_KIND_ADDED_BY_HAND', subject, sessionId: '' }
        : { kind: 'DRIFT_KIND_BACK_AFTER_END', subject, sessionId: ended.id ?? '' };
    });
}
