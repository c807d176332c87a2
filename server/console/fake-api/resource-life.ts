import type { ResourceDriftJson, ResourceJson, SessionJson, UserJson } from '../src/gen/api.js';
import { resourceUnreachable } from './resource-refusals.js';
import type { World } from './world.js';

/** How a system outside behaves. */
export type Health = 'well' | 'slow' | 'down';

/** What is said of a system that does not answer. */
export const PROBLEMS: Readonly<Record<'slow' | 'down', string>> = {
  slow: 'no answer within 10 s',
  down: 'connect ECONNREFUSED 10.0.3.7:443',
};

/** How the system behaves that a resource is in. */
export function healthOf(world: World, resource: ResourceJson | undefined): Health {
  if (resource?.connectorKind === 'device_group')
    return world.devices.get(resource.target?.['device'] ?? '')?.online === true ? 'well' : 'down';
  return world.health.get(resource?.connector ?? '') ?? 'well';
}

/** How a resource calls a user; undefined when it knows nobody. Nobody knows newcomers. */
export function subjectOf(resource: ResourceJson, user: UserJson): string | undefined {
  const given = resource.subjects?.find((one) => one.user === user.name)?.subject;
  if (given !== undefined) return given;
  if (user.name === 'newcomer') return undefined;
  return resource.connectorKind === 'ldap' ? `uid=${user.name ?? ''},ou=people,dc=example,dc=com` : (user.name ?? '');
}

/** Compares the ledger with the resource. Refused when that does not answer; then nothing changes. */
export function compare(world: World, resource: ResourceJson): ResourceJson {
  if (healthOf(world, resource) === 'down') throw resourceUnreachable(resource.name ?? '', PROBLEMS.down);
  const members = world.members.get(resource.id ?? '') ?? new Set<string>();
  const sessions = [...world.sessions.values()].filter(({ resourceId }) => resourceId === resource.id);
  const known = new Map((resource.drift ?? []).map((drift) => [`${drift.kind} ${drift.subject}`, drift]));
  const seen = (drift: ResourceDriftJson): ResourceDriftJson => ({
    seenTime: world.time(),
    ...known.get(`${drift.kind} ${drift.subject}`),
    ...drift,
  });
  const compared = {
    ...resource,
    drift: [...removedByHand(sessions, members), ...addedByHand(world, resource, sessions, members)].map(seen),
    comparedTime: world.time(),
  };
  world.resources.set(resource.id ?? '', compared);
  return compared;
}

function removedByHand(sessions: readonly SessionJson[], members: ReadonlySet<string>): ResourceDriftJson[] {
  return sessions
    .filter(({ state, resourceSubject = '' }) => state === 'SESSION_STATE_ACTIVE' && !members.has(resourceSubject))
    .map(({ id = '', resourceSubject = '' }) => ({
      kind: 'DRIFT_KIND_REMOVED_BY_HAND',
      subject: resourceSubject,
      sessionId: id,
    }));
}

function addedByHand(
  world: World,
  resource: ResourceJson,
  sessions: readonly SessionJson[],
  members: ReadonlySet<string>,
): ResourceDriftJson[] {
  const standing = world.standing.get(resource.id ?? '') ?? new Set<string>();
  const open = new Set(
    sessions.filter(({ state }) => state !== 'SESSION_STATE_ENDED').map(({ resourceSubject }) => resourceSubject),
  );
  return [...members]
    .filter((subject) => !standing.has(subject) && !open.has(subject))
    .map((subject) => {
      const ended = sessions.find(({ resourceSubject }) => resourceSubject === subject);
      return ended === undefined
        ? { kind: 'DRIFT_KIND_ADDED_BY_HAND', subject, sessionId: '' }
        : { kind: 'DRIFT_KIND_BACK_AFTER_END', subject, sessionId: ended.id ?? '' };
    });
}
