import { requestCan, REQUEST_STATES, type RequestState } from '@curfew/shared/browser';
import { roleIsAtLeast } from '../src/api/method-roles.js';
import type { AccessRequestFilterJson, AccessRequestJson, ApprovalStepJson } from '../src/gen/api.js';
import { durationFromProto, durationToProto, wordFromProto } from '../src/model/proto-json.js';
import type { Caller } from './caller.js';
import type { CallHandlers } from './handlers.js';
import { find } from './lookup.js';
import { pageOf } from './paging.js';
import { refuse } from './refusal.js';
import { neededReason, notTwice, resourceFields } from './session-methods.js';
import { beginSession } from './session-life.js';
import type { World } from './world.js';

const ORDERS = {
  create_time: (request: AccessRequestJson) => request.createTime ?? '',
  user_name: (request: AccessRequestJson) => request.userName ?? '',
  device_name: (request: AccessRequestJson) => request.deviceName ?? request.resourceName ?? '',
  resource_name: (request: AccessRequestJson) => request.resourceName ?? request.deviceName ?? '',
  state: (request: AccessRequestJson) => request.state ?? '',
} as const;

/** The state of a request as the project's word. */
export const requestState = (request: AccessRequestJson): RequestState =>
  wordFromProto(REQUEST_STATES, 'ACCESS_REQUEST_STATE_', request.state) ?? 'pending';

const canDecide = (caller: Caller, request: AccessRequestJson): boolean =>
  requestCan.decide(requestState(request)) &&
  roleIsAtLeast(caller.role, 'approver') &&
  request.userId !== caller.user.id &&
  !hasDecided(caller, request);

const hasDecided = (caller: Caller, { decisions = [] }: AccessRequestJson): boolean =>
  decisions.some(({ decidedBy }) => decidedBy === caller.user.name);

/** A request as the caller sees it. */
export const requestFor = (caller: Caller, request: AccessRequestJson): AccessRequestJson => ({
  ...request,
  canDecide: canDecide(caller, request),
});

/** Whether a request fits a filter. */
export function requestFits(caller: Caller, request: AccessRequestJson, filter: AccessRequestFilterJson = {}): boolean {
  const states = filter.states ?? [];
  const text = (filter.text ?? '').toLowerCase();
  if (filter.reviewWaiting === true) {
    if (request.review?.state !== 'REVIEW_STATE_WAITING') return false;
  } else if (states.length === 0) {
    if (request.state !== 'ACCESS_REQUEST_STATE_PENDING') return false;
  }
  if (states.length > 0 && !states.includes(request.state ?? 'ACCESS_REQUEST_STATE_UNSPECIFIED')) return false;
  if (filter.canDecide === true && !canDecide(caller, request)) return false;
  const is = (given: string | undefined, ...values: (string | undefined)[]): boolean =>
    given === undefined || given === '' || values.some((value) => value?.toLowerCase() === given.toLowerCase());
  if (!is(filter.user, request.userId, request.userName)) return false;
  if (!is(filter.device, request.deviceId, request.deviceName)) return false;
  if (!is(filter.resource, request.resourceId, request.resourceName)) return false;
  return (
    text === '' ||
    [request.userName, request.deviceName, request.resourceName, request.account?.name, request.reason].some(
      (value) => value?.toLowerCase().includes(text) === true,
    )
  );
}

function decidable(world: World, caller: Caller, given: string | undefined): AccessRequestJson {
  const request = find(world.requests.values(), 'request', given, 'REQUEST_NOT_FOUND');
  const state = requestState(request);
  if (!requestCan.decide(state)) throw refuse('REQUEST_NOT_PENDING', { id: request.id ?? '', state });
  if (request.userId === caller.user.id) throw refuse('SELF_APPROVAL');
  if (hasDecided(caller, request)) throw refuse('DECISION_ALREADY_MADE', { id: request.id ?? '' });
  return request;
}

function decide(
  world: World,
  caller: Caller,
  request: AccessRequestJson,
  approved: boolean,
  reason: string,
): AccessRequestJson {
  const by = caller.user.name ?? '';
  const { step = 1, stepCount = 1 } = request;
  const decision = { step, approved, decidedBy: by, reason, createTime: world.time() };
  world.record(approved ? 'request.approved' : 'request.denied', `user:${by}`, request.id ?? '', { reason });
  const decisions = [...(request.decisions ?? []), decision];
  if (approved && step < stepCount) {
    const next = world.policies.find(({ name }) => name === request.policyName)?.spec?.steps?.[step];
    return world.putRequest({ ...request, decisions, step: step + 1, waitsFor: waitsFor(next) });
  }
  const decided = world.putRequest({
    ...request,
    state: approved ? 'ACCESS_REQUEST_STATE_APPROVED' : 'ACCESS_REQUEST_STATE_DENIED',
    decideTime: world.time(),
    decidedBy: by,
    decisionReason: reason,
    decisions,
    step: 0,
    waitsFor: '',
    ...(approved ? { startByTime: world.time(8 * 3_600_000) } : {}),
  });
  // There is nothing to start on a device: timed access starts when it is approved.
  if (approved && (request.resourceId ?? '') !== '') startRequest(world, decided);
  return world.requests.get(decided.id ?? '') ?? decided;
}

function takeBack(world: World, caller: Caller, request: AccessRequestJson, reason: string): AccessRequestJson {
  const by = caller.user.name ?? '';
  world.record('request.cancelled', `user:${by}`, request.id ?? '', { reason });
  const word = { decideTime: world.time(), decidedBy: by, decisionReason: reason };
  return world.putRequest({ ...request, ...word, state: 'ACCESS_REQUEST_STATE_CANCELLED' });
}

/** Who a step waits for, in words. */
export const waitsFor = (step: ApprovalStepJson | undefined): string => {
  const { users = [], groups = [], approvals = 1 } = step ?? {};
  if (users.length + groups.length === 0) return approvals > 1 ? `${approvals} approvers` : 'any approver';
  return [...users, ...groups.map((group) => `group ${group}`)].join(' or ');
};

/** Starts an approved request: a session begins. */
export function startRequest(world: World, request: AccessRequestJson): ReturnType<typeof beginSession> {
  if ((request.deviceId ?? '') !== '') notTwice(world, request.deviceId, request.account?.name);
  const ms = durationFromProto(request.duration) ?? 1_800_000;
  const session = beginSession(world, {
    id: world.id('session'),
    userId: request.userId ?? '',
    userName: request.userName ?? '',
    ...((request.resourceId ?? '') === ''
      ? {
          kind: 'SESSION_KIND_DEVICE_ADMIN' as const,
          deviceId: request.deviceId ?? '',
          deviceName: request.deviceName ?? '',
          devicePlatform: world.devices.get(request.deviceId ?? '')?.facts?.platform ?? 'PLATFORM_LINUX',
          account: request.account ?? { name: request.userName ?? '' },
          options: request.options ?? { kind: 'GRANT_KIND_SUDO_RULE' },
        }
      : resourceFields(
          world,
          world.resources.get(request.resourceId ?? '') ?? {},
          world.users.get(request.userId ?? '') ?? {},
        )),
    requestId: request.id ?? '',
    reason: request.reason ?? '',
    grantedBy: request.decidedBy ?? '',
    policyName: request.policyName ?? '',
    policyVersion: request.policyVersion ?? '0',
    breakGlass: request.breakGlass ?? false,
    createTime: world.time(),
    expireTime: world.time(ms),
    duration: durationToProto(ms),
  });
  world.putRequest({ ...request, state: 'ACCESS_REQUEST_STATE_STARTED', sessionId: session.id ?? '' });
  return session;
}

/** Requests, for operators. */
export const requestMethods: Pick<
  CallHandlers,
  | 'RequestService/ListAccessRequests'
  | 'RequestService/GetAccessRequest'
  | 'RequestService/ApproveAccessRequest'
  | 'RequestService/DenyAccessRequest'
  | 'RequestService/ReviewAccessRequest'
> = {
  'RequestService/ListAccessRequests': (world, caller, request) => {
    const fitting = [...world.requests.values()].filter((one) => requestFits(caller, one, request.filter));
    const page = pageOf(fitting, request, ORDERS, 'create_time desc');
    return {
      requests: page.items.map((one) => requestFor(caller, one)),
      nextPageToken: page.nextPageToken,
      totalSize: page.totalSize,
    };
  },
  'RequestService/GetAccessRequest': (world, caller, { requestId }) => ({
    request: requestFor(caller, find(world.requests.values(), 'request', requestId, 'REQUEST_NOT_FOUND')),
  }),
  'RequestService/ApproveAccessRequest': (world, caller, { requestId, reason, duration }) => {
    const request = decidable(world, caller, requestId);
    const asked = durationFromProto(request.duration) ?? 0;
    const given = durationFromProto(duration) ?? asked;
    if (given > asked)
      throw refuse('DURATION_TOO_LONG', { field: 'duration', given: `${given / 1000}s`, limit: `${asked / 1000}s` });
    const approved = { ...request, duration: durationToProto(given) };
    return { request: requestFor(caller, decide(world, caller, approved, true, reason ?? '')) };
  },
  'RequestService/DenyAccessRequest': (world, caller, { requestId, reason }) => {
    const text = neededReason(reason);
    const asked = find(world.requests.values(), 'request', requestId, 'REQUEST_NOT_FOUND');
    if (requestCan.takeBack(requestState(asked)))
      return { request: requestFor(caller, takeBack(world, caller, asked, text)) };
    const request = decidable(world, caller, requestId);
    return { request: requestFor(caller, decide(world, caller, request, false, text)) };
  },
  'RequestService/ReviewAccessRequest': (world, caller, { requestId, accepted, reason }) => {
    const comment = neededReason(reason);
    const request = find(world.requests.values(), 'request', requestId, 'REQUEST_NOT_FOUND');
    if (request.review?.state !== 'REVIEW_STATE_WAITING') throw refuse('REVIEW_NOT_WAITING', { id: request.id ?? '' });
    if (request.userId === caller.user.id) throw refuse('SELF_APPROVAL');
    const reviewed = world.putRequest({
      ...request,
      review: {
        state: accepted === true ? 'REVIEW_STATE_ACCEPTED' : 'REVIEW_STATE_REJECTED',
        reviewedBy: caller.user.name ?? '',
        comment,
        reviewTime: world.time(),
      },
    });
    world.record('request.reviewed', `user:${caller.user.name ?? ''}`, request.id ?? '', { accepted });
    return { request: requestFor(caller, reviewed) };
  },
};
