import type { ResourceJson } from '../src/gen/api.js';
import { isOpen } from './session-life.js';
import type { World } from './world.js';

export const liveSessions = (world: World, resource: ResourceJson): number =>
  [...world.sessions.values()].filter((session) => session.resourceId === resource.id && isOpen(session)).length;

/** A resource as it is sent. */
export const resourceOut = (world: World, resource: ResourceJson): ResourceJson => ({
  ...resource,
  liveSessions: liveSessions(world, resource),
});
