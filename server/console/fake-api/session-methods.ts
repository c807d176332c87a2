import { sessionCan, SESSION_STATES } from '@curfew/shared/browser';
import type {
  GrantSessionRequestJson,
  ResourceJson,
  SessionFilterJson,
  SessionJson,
  SessionStateJson,
  UserJson,
} from '../src/gen/api.js';
import { durationFromProto, durationToProto, timeFromProto, wordFromProto } from '../src/model/proto-json.js';
import { roleIsAtLeast } from '../src/api/method-roles.js';
import type { Caller } from './caller.js';
import type { CallHandlers } from './handlers.js';
import { find } from './lookup.js';
import { pageOf } from './paging.js';
import { fieldInvalid, refuse } from './refusal.js';
import { connectorDisabled, resourceDisabled, subjectUnknown } from './resource-refusals.js';
import { healthOf, subjectOf } from './resource-life.js';
import { beginSession, endSession, isOpen, withDevice } from './session-life.js';
import type { World } from './world.js';

/** The longest session that the fake server allows. */
const LONGEST_MS = 24 * 3_600_000;

const ORDERS = {
  create_time: (session: SessionJson) => session.createTime ?? '',
  expire_time: (session: SessionJson) => session.expireTime ?? '',
  user_name: (session: SessionJson) => session.userName ?? '',
  device_name: (session: SessionJson) => session.deviceName ?? session.resourceName ?? '',
  resource_name: (session: SessionJson) => session.resourceName ?? session.deviceName ?? '',
  state: (session: SessionJson) => session.state ?? '',
} as const;

const same = (given: string | undefined, ...values: (string | undefined)[]): boolean =>
  given === undefined || given === '' || values.some((value) => value?.toLowerCase() === given.toLowerCase());

/** Whether a session fits a filter. */
export function sessionFits(world: World, session: SessionJson, filter: SessionFilterJson = {}): boolean {
  const states = filter.states ?? [];
  const text = (filter.text ?? '').toLowerCase();
  const within = durationFromProto(filter.endingWithin);
  const expires = timeFromProto(session.expireTime);
  const created = timeFromProto(filter.createdAfterTime);
  const set = (value: string | undefined): boolean => value !== undefined && !value.endsWith('_UNSPECIFIED');
  if (set(filter.kind) && session.kind !== filter.kind) return false;
  if (states.length === 0 ? !isOpen(session) : !states.includes(session.state ?? 'SESSION_STATE_UNSPECIFIED'))
    return false;
  if (!same(filter.user, session.userId, session.userName)) return false;
  if (!same(filter.device, session.deviceId, session.deviceName)) return false;
  if (!same(filter.resource, session.resourceId, session.resourceName)) return false;
  if (set(filter.platform) && session.devicePlatform !== filter.platform) return false;
  if (within !== undefined && (expires === undefined || expires > world.clock.now() + within)) return false;
  if (created !== undefined && (timeFromProto(session.createTime) ?? 0) < created) return false;
  if (text === '') return true;
  return [session.userName, session.deviceName, session.account?.name, session.reason, session.resourceName].some(
    (value) => value?.toLowerCase().includes(text) === true,
  );
}

/** What every session that is sent to a caller carries. */
export function sessionFor(world: World, session: SessionJson): SessionJson {
  return withDevice(world, session);
}

const stateWord = (state: SessionStateJson | undefined): string =>
  wordFromProto(SESSION_STATES, 'SESSION_STATE_', state) ?? 'starting';

/** The reason that a call must give. */
export function neededReason(reason: string | undefined): string {
  if (reason === undefined || reason.trim() === '') throw fieldInvalid('reason', 'must not be empty');
  if (reason.length > 500) throw fieldInvalid('reason', 'must be at most 500 characters');
  return reason;
}

/** The duration that a call must give. */
export function neededDuration(duration: string | undefined, field: string): number {
  const ms = durationFromProto(duration);
  if (ms === undefined || ms < 1_000) throw fieldInvalid(field, 'must be at least 1 s');
  if (ms > LONGEST_MS) throw refuse('DURATION_TOO_LONG', { field, given: `${ms / 1000}s`, limit: '24h' });
  return ms;
}

function selected(world: World, request: Parameters<CallHandlers['SessionService/RevokeSessions']>[2]): SessionJson[] {
  const live = [...world.sessions.values()].filter(
    (session) => session.state === 'SESSION_STATE_STARTING' || session.state === 'SESSION_STATE_ACTIVE',
  );
  if (request.sessions !== undefined)
    return (request.sessions.ids ?? []).map((id) => {
      const exact = world.sessions.get(id);
      return exact ?? find(world.sessions.values(), 'session', id, 'SESSION_NOT_FOUND');
    });
  if (request.user !== undefined) {
    const user = find(world.users.values(), 'user', request.user, 'USER_NOT_FOUND', ({ name }) => name);
    return live.filter(({ userId }) => userId === user.id);
  }
  if (request.device !== undefined) {
    const device = find(world.devices.values(), 'device', request.device, 'DEVICE_NOT_FOUND', ({ name }) => name);
    return live.filter(({ deviceId }) => deviceId === device.id);
  }
  if (request.resource !== undefined) {
    const resource = find(world.resources.values(), 'resource', request.resource, 'RESOURCE_NOT_FOUND', nameOf);
    return live.filter(({ resourceId }) => resourceId === resource.id);
  }
  if (request.everything === true) return live;
  throw fieldInvalid('selection', 'is required');
}

const nameOf = ({ name }: { readonly name?: string }): string | undefined => name;

/** Whether what a session is in answers now. */
function isInReach(world: World, session: SessionJson): boolean {
  return session.kind === 'SESSION_KIND_TIMED_ACCESS'
    ? healthOf(world, world.resources.get(session.resourceId ?? '')) !== 'down'
    : session.deviceOnline === true;
}

/**
 * What a session of timed access says of its resource. Refused when nobody there is the user, when nothing new is given
 * through the connector, and when the user has it already.
 */
export function resourceFields(world: World, resource: ResourceJson, user: UserJson): SessionJson {
  const { name = '', id = '' } = resource;
  const connector = [...world.connectors.values()].find((one) => one.name === resource.connector);
  if (resource.disabled === true) throw resourceDisabled(name);
  if (connector?.disabled === true) throw connectorDisabled(connector.name ?? '');
  const subject = subjectOf(resource, user);
  if (subject === undefined) throw subjectUnknown(name, user.name ?? '');
  const other = [...world.sessions.values()].find(
    (session) => session.resourceId === id && session.userId === user.id && isOpen(session),
  );
  if (other !== undefined) throw refuse('SESSION_ALREADY_LIVE', { account: subject, id: other.id ?? '' });
  return { kind: 'SESSION_KIND_TIMED_ACCESS', resourceId: id, resourceName: name, resourceSubject: subject };
}

/** What a session of device admin says of its device. */
function deviceFields(world: World, user: UserJson, request: GrantSessionRequestJson): SessionJson {
  const device = find(world.devices.values(), 'device', request.device, 'DEVICE_NOT_FOUND', nameOf);
  const wanted = request.account === undefined || request.account === '' ? user.name : request.account;
  const account = device.accounts?.find(({ name }) => name === wanted);
  if (account === undefined) throw refuse('ACCOUNT_NOT_FOUND', { given: wanted ?? '' });
  notTwice(world, device.id, account.name);
  return {
    kind: 'SESSION_KIND_DEVICE_ADMIN',
    deviceId: device.id ?? '',
    deviceName: device.name ?? '',
    devicePlatform: device.facts?.platform ?? 'PLATFORM_LINUX',
    account,
    options: request.options ?? { kind: 'GRANT_KIND_SUDO_RULE' },
  };
}

/** One account has one session on a device that is not about to end. */
export function notTwice(world: World, deviceId: string | undefined, account: string | undefined): void {
  const other = [...world.sessions.values()].find(
    (session) =>
      session.deviceId === deviceId &&
      session.account?.name === account &&
      ['SESSION_STATE_STARTING', 'SESSION_STATE_ACTIVE'].includes(session.state ?? ''),
  );
  if (other !== undefined) throw refuse('SESSION_ALREADY_LIVE', { account: account ?? '', id: other.id ?? '' });
}

function extend(world: World, caller: Caller, given: string | undefined, by: string | undefined): SessionJson {
  const session = find(world.sessions.values(), 'session', given, 'SESSION_NOT_FOUND');
  const state = stateWord(session.state);
  if (!sessionCan.extend(state as 'active')) throw refuse('SESSION_NOT_LIVE', { id: session.id ?? '', state });
  if (session.userId === caller.user.id && !roleIsAtLeast(caller.role, 'owner')) throw refuse('SELF_APPROVAL');
  const more = neededDuration(by, 'by');
  const whole = (durationFromProto(session.duration) ?? 0) + more;
  if (whole > LONGEST_MS) throw refuse('DURATION_TOO_LONG', { field: 'by', given: `${whole / 1000}s`, limit: '24h' });
  world.record('session.extended', `user:${caller.user.name ?? ''}`, session.id ?? '', { bySeconds: more / 1000 });
  return world.putSession({
    ...session,
    duration: durationToProto(whole),
    expireTime: new Date((timeFromProto(session.expireTime) ?? world.clock.now()) + more).toISOString(),
  });
}

/** Sessions, for operators. */
export const sessionMethods: Pick<
  CallHandlers,
  | 'SessionService/ListSessions'
  | 'SessionService/GetSession'
  | 'SessionService/GrantSession'
  | 'SessionService/ExtendSession'
  | 'SessionService/RevokeSessions'
> = {
  'SessionService/ListSessions': (world, _caller, request) => {
    const fitting = [...world.sessions.values()].filter((session) => sessionFits(world, session, request.filter));
    const page = pageOf(fitting, request, ORDERS, 'expire_time');
    return {
      sessions: page.items.map((session) => sessionFor(world, session)),
      nextPageToken: page.nextPageToken,
      totalSize: page.totalSize,
    };
  },
  'SessionService/GetSession': (world, _caller, { sessionId }) => {
    const session = find(world.sessions.values(), 'session', sessionId, 'SESSION_NOT_FOUND');
    const changes = world.changes.get(sessionId ?? '');
    return { session: sessionFor(world, session), ...(changes !== undefined && { changes }) };
  },
  'SessionService/GrantSession': (world, caller, request) => {
    const reason = neededReason(request.reason);
    const ms = neededDuration(request.duration, 'duration');
    const user = find(world.users.values(), 'user', request.user, 'USER_NOT_FOUND', ({ name }) => name);
    const isResource = (request.resource ?? '') !== '';
    if (isResource === ((request.device ?? '') !== ''))
      throw fieldInvalid('device', 'exactly one of device and resource is given');
    if (user.id === caller.user.id) throw refuse('SELF_APPROVAL');
    const what = isResource
      ? resourceFields(
          world,
          find(world.resources.values(), 'resource', request.resource, 'RESOURCE_NOT_FOUND', nameOf),
          user,
        )
      : deviceFields(world, user, request);
    const session = beginSession(world, {
      id: world.id('session'),
      userId: user.id ?? '',
      userName: user.name ?? '',
      ...what,
      reason,
      grantedBy: caller.user.name ?? '',
      createTime: world.time(),
      expireTime: world.time(ms),
      duration: durationToProto(ms),
    });
    return { session: sessionFor(world, session) };
  },
  'SessionService/ExtendSession': (world, caller, { sessionId, by }) => ({
    session: sessionFor(world, extend(world, caller, sessionId, by)),
  }),
  'SessionService/RevokeSessions': (world, caller, request) => {
    const reason = neededReason(request.reason);
    const sessions = selected(world, request);
    return {
      results: sessions.map(({ id }) => {
        const session = sessionFor(
          world,
          endSession(world, id ?? '', 'END_REASON_REVOKED', caller.user.name ?? '', reason) ?? {},
        );
        const ended = session.state === 'SESSION_STATE_ENDED';
        return {
          session,
          outcome: ended
            ? ('REVOKE_OUTCOME_EFFECTIVE' as const)
            : isInReach(world, session)
              ? ('REVOKE_OUTCOME_ACCEPTED' as const)
              : ('REVOKE_OUTCOME_PENDING' as const),
          acceptedTime: session.endingTime ?? world.time(),
          ...(ended ? { effectiveTime: session.endedTime ?? world.time() } : {}),
          diesByTime: session.expireTime ?? world.time(),
        };
      }),
    };
  },
};
