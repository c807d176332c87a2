import { requestCan } from '@curfew/shared/browser';
import type {
  AccessRequestJson,
  AccessTargetJson,
  AccountJson,
  CreateMyRequestRequestJson,
  DeviceJson,
  UserJson,
} from '../src/gen/api.js';
import { durationFromProto, durationToProto } from '../src/model/proto-json.js';
import type { Caller } from './caller.js';
import type { CallHandlers } from './handlers.js';
import { find } from './lookup.js';
import { answerFor, type Asked } from './policy-answer.js';
import { refuse } from './refusal.js';
import { resourceDisabled } from './resource-refusals.js';
import { requestFor, requestState, startRequest, waitsFor } from './request-methods.js';
import { endSession, withDevice } from './session-life.js';
import { neededDuration, neededReason } from './session-methods.js';
import type { World } from './world.js';

const HOUR_MS = 3_600_000;

const linked = (world: World, user: UserJson): { device: DeviceJson; account: AccountJson }[] =>
  (user.accounts ?? []).flatMap((link) => {
    const device = world.devices.get(link.deviceId ?? '');
    const account = device?.accounts?.find(({ name }) => name === link.accountName);
    return device === undefined || account === undefined ? [] : [{ device, account }];
  });

/** What a request is about: an account of the caller's on a device, or a resource. */
function askedFor(world: World, caller: Caller, request: CreateMyRequestRequestJson): Asked {
  const { user } = caller;
  if ((request.resource ?? '') !== '') {
    const resource = find(
      world.resources.values(),
      'resource',
      request.resource,
      'RESOURCE_NOT_FOUND',
      ({ name }) => name,
    );
    if (resource.disabled === true) throw resourceDisabled(resource.name ?? '');
    return { user, resource };
  }
  const device = find(world.devices.values(), 'device', request.device, 'DEVICE_NOT_FOUND', ({ name }) => name);
  const given = request.account ?? '';
  const mine = linked(world, user).find(
    (one) => one.device.id === device.id && (given === '' || one.account.name === given),
  );
  if (mine === undefined) throw refuse('ACCOUNT_NOT_FOUND', { given: given === '' ? (user.name ?? '') : given });
  return { user, device, account: mine.account };
}

const targetFields = ({ device, account, resource }: Asked): AccessRequestJson =>
  resource === undefined
    ? { deviceId: device?.id ?? '', deviceName: device?.name ?? '', account: account ?? { name: '' } }
    : { resourceId: resource.id ?? '', resourceName: resource.name ?? '' };

function checkTicket(world: World, policyName: string | undefined, ticket: string): void {
  const pattern = world.policies.find(({ name }) => name === policyName)?.spec?.ticketPattern ?? '';
  if (pattern !== '' && !new RegExp(`^(?:${pattern})$`, 'u').test(ticket))
    throw refuse('TICKET_INVALID', {
      field: 'ticket',
      policy: policyName ?? '',
      pattern,
    });
}

function refuseSecond(world: World, caller: Caller, { device, resource }: Asked): void {
  const open = [...world.requests.values()].find(
    (one) =>
      one.userId === caller.user.id &&
      (resource === undefined ? one.deviceId === device?.id : one.resourceId === resource.id) &&
      requestCan.cancel(requestState(one)),
  );
  if (open !== undefined) throw refuse('REQUEST_ALREADY_OPEN', { id: open.id ?? '', state: requestState(open) });
}

function approveByPolicy(world: World, request: AccessRequestJson): void {
  const by = `policy ${request.policyName ?? ''}`;
  const approved = world.putRequest({
    ...request,
    state: 'ACCESS_REQUEST_STATE_APPROVED',
    decideTime: world.time(),
    decidedBy: by,
    decisions: [{ step: 1, approved: true, decidedBy: by, createTime: world.time() }],
    step: 0,
    waitsFor: '',
    startByTime: world.time(8 * HOUR_MS),
  });
  world.record('request.approved', 'server', request.id ?? '');
  // There is nothing to start on a device.
  if ((request.resourceId ?? '') !== '') startRequest(world, approved);
}

function needFresh(world: World, caller: Caller, request: AccessRequestJson): void {
  const limit = durationFromProto(world.policies.find(({ name }) => name === request.policyName)?.spec?.freshSignIn);
  const fresh = world.signIns.get(caller.signInId)?.freshTime;
  if (limit !== undefined && (fresh === undefined || Date.parse(fresh) + limit < world.clock.now()))
    throw refuse('FRESH_SIGN_IN_REQUIRED', { within: '15m' });
}

/** What people do for themselves. */
export const accessMethods: Pick<
  CallHandlers,
  | 'AccessService/ListMyTargets'
  | 'AccessService/CreateMyRequest'
  | 'AccessService/CancelMyRequest'
  | 'AccessService/StartMySession'
  | 'AccessService/EndMySession'
> = {
  'AccessService/ListMyTargets': (world, caller) => ({
    targets: [
      ...linked(world, caller.user).map(({ device, account }): AccessTargetJson => ({
        deviceId: device.id ?? '',
        deviceName: device.name ?? '',
        deviceOnline: device.online ?? false,
        platform: device.facts?.platform ?? 'PLATFORM_LINUX',
        account,
        answer: answerFor(world, { user: caller.user, device, account }),
      })),
      ...[...world.resources.values()]
        .filter(({ disabled }) => disabled !== true)
        .map((resource): AccessTargetJson => ({
          resourceId: resource.id ?? '',
          resourceName: resource.name ?? '',
          resourceDescription: resource.description ?? '',
          answer: answerFor(world, { user: caller.user, resource }),
        })),
    ],
  }),
  'AccessService/CreateMyRequest': (world, caller, request) => {
    const reason = neededReason(request.reason);
    const ms = neededDuration(request.duration, 'duration');
    const asked = askedFor(world, caller, request);
    const answer = answerFor(world, { ...asked, durationMs: ms });
    if (answer.code === 'DURATION_TOO_LONG')
      throw refuse('DURATION_TOO_LONG', {
        field: 'duration',
        given: `${ms / 1000}s`,
        limit: answer.maxDuration ?? '',
      });
    if (answer.allowed !== true) throw refuse('POLICY_DENIES', { reason: answer.reason ?? '' });
    checkTicket(world, answer.policyName, request.ticket ?? '');
    refuseSecond(world, caller, asked);
    const made = world.putRequest({
      id: world.id('request'),
      state: 'ACCESS_REQUEST_STATE_PENDING',
      userId: caller.user.id ?? '',
      userName: caller.user.name ?? '',
      ...targetFields(asked),
      ...(asked.resource === undefined ? { options: request.options ?? { kind: 'GRANT_KIND_SUDO_RULE' } } : {}),
      duration: durationToProto(ms),
      reason,
      ticket: request.ticket ?? '',
      createTime: world.time(),
      decideByTime: world.time(24 * HOUR_MS),
      policyName: answer.policyName ?? '',
      policyVersion: answer.policyVersion ?? '0',
      step: 1,
      stepCount: Math.max(1, answer.steps?.length ?? 0),
      waitsFor: waitsFor(answer.steps?.[0]),
      freshSignInRequired: answer.freshSignInRequired ?? false,
    });
    world.record('request.created', `user:${caller.user.name ?? ''}`, made.id ?? '', { reason });
    if (request.breakGlass === true && answer.breakGlass === true)
      startRequest(world, { ...made, breakGlass: true, review: { state: 'REVIEW_STATE_WAITING' } });
    else if (answer.autoApproved === true) approveByPolicy(world, made);
    return { request: requestFor(caller, world.requests.get(made.id ?? '') ?? made) };
  },
  'AccessService/CancelMyRequest': (world, caller, { requestId }) => {
    const mine = [...world.requests.values()].filter(({ userId }) => userId === caller.user.id);
    const request = find(mine, 'request', requestId, 'REQUEST_NOT_FOUND');
    const state = requestState(request);
    if (!requestCan.cancel(state)) throw refuse('REQUEST_NOT_OPEN', { id: request.id ?? '', state });
    world.record('request.cancelled', `user:${caller.user.name ?? ''}`, request.id ?? '');
    return { request: requestFor(caller, world.putRequest({ ...request, state: 'ACCESS_REQUEST_STATE_CANCELLED' })) };
  },
  'AccessService/StartMySession': (world, caller, { requestId }) => {
    const mine = [...world.requests.values()].filter(({ userId }) => userId === caller.user.id);
    const request = find(mine, 'request', requestId, 'REQUEST_NOT_FOUND');
    const state = requestState(request);
    if (!requestCan.start(state)) throw refuse('REQUEST_NOT_APPROVED', { id: request.id ?? '', state });
    needFresh(world, caller, request);
    return { session: withDevice(world, startRequest(world, request)) };
  },
  'AccessService/EndMySession': (world, caller, { sessionId }) => {
    const mine = [...world.sessions.values()].filter(({ userId }) => userId === caller.user.id);
    const session = find(mine, 'session', sessionId, 'SESSION_NOT_FOUND');
    const ended = endSession(world, session.id ?? '', 'END_REASON_ENDED_BY_USER', caller.user.name ?? '', '');
    return { session: withDevice(world, ended ?? session) };
  },
};
