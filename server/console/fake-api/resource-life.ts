import type { ResourceJson, UserJson } from '../src/gen/api.js';
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
