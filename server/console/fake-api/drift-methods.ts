import type { ResourceDriftJson, ResourceJson } from '../src/gen/api.js';
import { durationToProto } from '../src/model/proto-json.js';
import type { Caller } from './caller.js';
import { assertAnswers } from './drift-life.js';
import type { CallHandlers } from './handlers.js';
import { find } from './lookup.js';
import { refuse } from './refusal.js';
import { resourceOut } from './resource-out.js';
import { beginSession } from './session-life.js';
import { neededReason, resourceFields } from './session-methods.js';
import type { World } from './world.js';

interface Found {
  readonly resource: ResourceJson;
  readonly drift: ResourceDriftJson;
  readonly reason: string;
}

/** The difference of an id, for which a reason is given. */
function found(world: World, request: { readonly driftId?: string; readonly reason?: string }): Found {
  const reason = neededReason(request.reason);
  const all = [...world.resources.values()];
  const drift = find(
    all.flatMap((resource) => resource.drift ?? []),
    'drift',
    request.driftId,
    'DRIFT_NOT_FOUND',
  );
  const resource = all.find((one) => one.drift?.includes(drift) === true) ?? {};
  return { resource, drift, reason };
}

function settle(world: World, caller: Caller, { resource, drift, reason }: Found, how: string): ResourceJson {
  const left = { ...resource, drift: (resource.drift ?? []).filter(({ id }) => id !== drift.id) };
  world.resources.set(resource.id ?? '', left);
  const data = { kind: drift.kind, subject: drift.subject, reason };
  world.record(`resource.drift_${how}`, `user:${caller.user.name ?? ''}`, resource.id ?? '', data);
  return left;
}

/** What operators do about differences. */
export const driftMethods: Pick<
  CallHandlers,
  'ResourceService/AcceptDrift' | 'ResourceService/GiveDriftAgain' | 'ResourceService/TakeDriftAway'
> = {
  'ResourceService/AcceptDrift': (world, caller, request) => {
    const one = found(world, request);
    const { id = '' } = one.resource;
    const { kind, subject = '', sessionId = '' } = one.drift;
    if (kind === 'DRIFT_KIND_BACK_AFTER_END' && world.sessions.get(sessionId)?.userId === caller.user.id)
      throw refuse('SELF_APPROVAL');
    if (kind !== 'DRIFT_KIND_REMOVED_BY_HAND')
      world.standing.set(id, new Set([...(world.standing.get(id) ?? []), subject]));
    return { resource: resourceOut(world, settle(world, caller, one, 'accepted')) };
  },
  'ResourceService/GiveDriftAgain': (world, caller, request) => {
    const one = found(world, request);
    if (one.drift.kind !== 'DRIFT_KIND_REMOVED_BY_HAND')
      throw refuse('DRIFT_ACTION_UNFIT', { what: 'was not removed by hand', action: 'given again' });
    const before = world.sessions.get(one.drift.sessionId ?? '') ?? {};
    const user = world.users.get(before.userId ?? '') ?? {};
    if (user.id === caller.user.id) throw refuse('SELF_APPROVAL');
    const ms = Date.parse(before.expireTime ?? '') - world.clock.now();
    const session = beginSession(world, {
      id: world.id('session'),
      userId: user.id ?? '',
      userName: user.name ?? '',
      ...resourceFields(world, one.resource, user),
      reason: one.reason,
      grantedBy: caller.user.name ?? '',
      createTime: world.time(),
      expireTime: world.time(ms),
      duration: durationToProto(ms),
    });
    settle(world, caller, one, 'given_again');
    return { session };
  },
  'ResourceService/TakeDriftAway': (world, caller, request) => {
    const one = found(world, request);
    if (one.drift.kind !== 'DRIFT_KIND_BACK_AFTER_END')
      throw refuse('DRIFT_ACTION_UNFIT', { what: 'Curfew has not given before', action: 'taken away' });
    assertAnswers(world, one.resource);
    world.members.get(one.resource.id ?? '')?.delete(one.drift.subject ?? '');
    return { resource: resourceOut(world, settle(world, caller, one, 'taken_away')) };
  },
};
