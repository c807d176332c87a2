import type { EndReasonJson, SessionJson } from '../src/gen/api.js';
import { askResource } from './timed-sessions.js';
import type { World } from './world.js';

/** How long a device in reach takes to answer. */
const DEVICE_ANSWER_MS = 350;

const isLive = (session: SessionJson): boolean =>
  session.state === 'SESSION_STATE_STARTING' || session.state === 'SESSION_STATE_ACTIVE';

/** Whether the session has not ended. */
export const isOpen = (session: SessionJson): boolean => session.state !== 'SESSION_STATE_ENDED';

/** The session with what its device says of itself now. */
export function withDevice(world: World, session: SessionJson): SessionJson {
  const device = world.devices.get(session.deviceId ?? '');
  if (device === undefined) return session;
  const since = device.online === true ? {} : { deviceOfflineSinceTime: device.lastSeenTime ?? world.startTime };
  return { ...session, deviceOnline: device.online ?? false, ...since };
}

/** What the policy of a session has recorded of it: sudo rules on Linux alone. */
function recordingOf(world: World, { policyName, devicePlatform, options }: SessionJson): SessionJson {
  const recording = world.policies.find(({ name }) => name === policyName)?.spec?.recording;
  const isRecorded = devicePlatform === 'PLATFORM_LINUX' && options?.kind === 'GRANT_KIND_SUDO_RULE';
  return isRecorded && recording !== undefined ? { recording } : {};
}

/** Begins a session: its device answers shortly after, if it is in reach. */
export function beginSession(world: World, session: SessionJson): SessionJson {
  const begun = world.putSession({ ...session, ...recordingOf(world, session), state: 'SESSION_STATE_STARTING' });
  world.record('session.started', `user:${begun.grantedBy ?? 'server'}`, begun.id ?? '');
  answerLater(world, begun.id ?? '');
  return begun;
}

/** Decides the end of a session. The device confirms it shortly after, if it is in reach. */
export function endSession(
  world: World,
  id: string,
  endReason: EndReasonJson,
  endedBy: string,
  endDetail: string,
): SessionJson | undefined {
  const session = world.sessions.get(id);
  if (session === undefined || !isLive(session)) return session;
  const ending = world.putSession({
    ...session,
    state: 'SESSION_STATE_ENDING',
    endingTime: world.time(),
    endReason,
    endedBy,
    endDetail,
  });
  world.record(
    `session.${endReason.replace('END_REASON_', '').toLowerCase()}`,
    endedBy === '' ? 'server' : `user:${endedBy}`,
    id,
  );
  answerLater(world, id);
  return ending;
}

/** Has the device or the resource of a session say what it holds, once it is in reach. */
function answerLater(world: World, id: string): void {
  if (world.sessions.get(id)?.kind === 'SESSION_KIND_TIMED_ACCESS') {
    askResource(world, id);
    return;
  }
  world.later(DEVICE_ANSWER_MS + world.random.fraction() * DEVICE_ANSWER_MS, () => {
    const session = world.sessions.get(id);
    if (session === undefined) return;
    const device = world.devices.get(session.deviceId ?? '');
    if (device?.online !== true) return;
    if (session.state === 'SESSION_STATE_STARTING')
      world.putSession({ ...session, state: 'SESSION_STATE_ACTIVE', activeTime: world.time() });
    else if (session.state === 'SESSION_STATE_ENDING')
      world.putSession({ ...session, state: 'SESSION_STATE_ENDED', endedTime: world.time() });
  });
}

/** Ends what is over, every second. */
export function sweepSessions(world: World): void {
  const now = world.clock.now();
  for (const [id, session] of world.sessions)
    if (isLive(session) && session.expireTime !== undefined && Date.parse(session.expireTime) <= now)
      endSession(world, id, 'END_REASON_EXPIRED', '', '');
  world.later(1_000, () => sweepSessions(world));
}

/** Puts a device out of reach, or back in reach: then it says what it holds. */
export function setOnline(world: World, deviceId: string, online: boolean): void {
  const device = world.devices.get(deviceId);
  if (device === undefined) return;
  world.putDevice({ ...device, online, lastSeenTime: world.time() });
  for (const [id, session] of world.sessions) {
    if (session.deviceId !== deviceId || !isOpen(session)) continue;
    world.putSession(session);
    if (online) answerLater(world, id);
  }
}
