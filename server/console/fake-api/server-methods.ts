import type { DayCountJson, NamedCountJson, SessionJson } from '../src/gen/api.js';
import type { CallHandlers } from './handlers.js';
import { requestFits } from './request-methods.js';
import { sessionFits, sessionFor } from './session-methods.js';
import type { World } from './world.js';

const DAY_MS = 86_400_000;

function days(world: World, sessions: readonly SessionJson[]): DayCountJson[] {
  return Array.from({ length: 30 }, (_day, index) => {
    const day = world.time((index - 29) * DAY_MS).slice(0, 10);
    const on = sessions.filter(({ createTime }) => createTime?.startsWith(day) === true);
    return {
      day,
      deviceAdmin: on.filter(({ kind }) => kind === 'SESSION_KIND_DEVICE_ADMIN').length,
      timedAccess: on.filter(({ kind }) => kind === 'SESSION_KIND_TIMED_ACCESS').length,
    };
  });
}

function top(values: readonly string[]): NamedCountJson[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => b.count - a.count)
    .slice(0, 10);
}

/** The server itself. */
export const serverMethods: Pick<
  CallHandlers,
  'ServerService/GetServerInfo' | 'ServerService/GetOverview' | 'ServerService/RotateLeaseKeys'
> = {
  'ServerService/GetServerInfo': (world) => ({
    version: '0.1.0',
    incarnation: '1',
    rolledBack: world.rolledBack,
    startTime: world.startTime,
    linkedDevices: [...world.devices.values()].filter(({ online }) => online === true).length,
    caFingerprint: 'c0ffee'.repeat(11).slice(0, 64),
    leaseKeySetVersion: '1',
  }),
  'ServerService/GetOverview': (world, caller) => {
    const recent = [...world.sessions.values()].filter(
      ({ createTime }) => Date.parse(createTime ?? '') > world.clock.now() - 30 * DAY_MS,
    );
    const live = [...world.sessions.values()]
      .filter(({ state }) => state === 'SESSION_STATE_STARTING' || state === 'SESSION_STATE_ACTIVE')
      .map((session) => sessionFor(world, session));
    const waiting = [...world.sessions.values()]
      .filter(({ state, kind }) => state === 'SESSION_STATE_ENDING' && kind === 'SESSION_KIND_DEVICE_ADMIN')
      .map((session) => sessionFor(world, session));
    const requests = [...world.requests.values()];
    const devices = [...world.devices.values()].filter(({ state }) => state !== 'DEVICE_STATE_REMOVED');
    const offline = live.filter(({ deviceOnline, deviceId }) => deviceOnline !== true && (deviceId ?? '') !== '');
    return {
      activeSessions: live.length,
      waitingRequests: requests.filter((request) => requestFits(caller, request)).length,
      waitingForMe: requests.filter((request) => requestFits(caller, request, { canDecide: true })).length,
      endingSoon: live.filter((session) => sessionFits(world, session, { endingWithin: '900s' })).length,
      waitingForDevice: waiting.filter(({ deviceOnline }) => deviceOnline !== true).length,
      offlineDevicesWithSessions: [...new Set(offline.map(({ deviceName }) => deviceName ?? ''))].slice(0, 20),
      devices: devices.length,
      devicesOnline: devices.filter(({ online }) => online === true).length,
      days: days(world, recent),
      topReasons: top(recent.map(({ reason }) => reason ?? '')),
      topUsers: top(recent.map(({ userName }) => userName ?? '')),
      reviewsWaiting: requests.filter((request) => requestFits(caller, request, { reviewWaiting: true })).length,
      devicesWithFindings: devices
        .filter(({ state, findings }) => state === 'DEVICE_STATE_IDENTITY_CONFLICT' || (findings ?? []).length > 0)
        .map(({ name }) => name ?? '')
        .slice(0, 20),
    };
  },
  'ServerService/RotateLeaseKeys': (world) => ({
    leaseKeySetVersion: '2',
    sentTo: [...world.devices.values()].filter(({ online }) => online === true).length,
  }),
};
