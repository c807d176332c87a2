import type { DeviceJson } from '../src/gen/api.js';
import { durationFromProto } from '../src/model/proto-json.js';
import type { CallHandlers } from './handlers.js';
import { find } from './lookup.js';
import { pageOf } from './paging.js';
import { fieldInvalid, refuse } from './refusal.js';
import { endSession, isOpen } from './session-life.js';
import type { World } from './world.js';

const ORDERS = {
  name: (device: DeviceJson) => device.name ?? '',
  enrolled_time: (device: DeviceJson) => device.enrolledTime ?? '',
  last_seen_time: (device: DeviceJson) => device.lastSeenTime ?? '',
} as const;

/** The device with how many sessions it has now. */
const deviceFor = (world: World, device: DeviceJson): DeviceJson => ({
  ...device,
  liveSessions: [...world.sessions.values()].filter((session) => session.deviceId === device.id && isOpen(session))
    .length,
});

/** The device as lists and watches show it. */
export function deviceRow(world: World, device: DeviceJson): DeviceJson {
  const row = deviceFor(world, device);
  delete row.accounts;
  return row;
}

const deviceOf = (world: World, given: string | undefined): DeviceJson =>
  find(world.devices.values(), 'device', given, 'DEVICE_NOT_FOUND', ({ name }) => name);

/** Devices and join tokens. */
export const deviceMethods: Pick<
  CallHandlers,
  | 'DeviceService/ListDevices'
  | 'DeviceService/GetDevice'
  | 'DeviceService/RemoveDevice'
  | 'DeviceService/UpdateDevice'
  | 'DeviceService/ResolveIdentityConflict'
  | 'DeviceService/CreateJoinToken'
  | 'DeviceService/CreateUninstallCode'
  | 'DeviceService/ListJoinTokens'
  | 'DeviceService/RevokeJoinToken'
> = {
  'DeviceService/ListDevices': (world, _caller, request) => {
    const { states = [], text = '', online } = request.filter ?? {};
    const needle = text.toLowerCase();
    const fitting = [...world.devices.values()].filter(
      (device) =>
        (states.length === 0
          ? device.state !== 'DEVICE_STATE_REMOVED'
          : states.includes(device.state ?? 'DEVICE_STATE_UNSPECIFIED')) &&
        (online === undefined || (device.online ?? false) === online) &&
        [device.name, device.facts?.hostname].some((value) => value?.toLowerCase().includes(needle) === true),
    );
    const page = pageOf(fitting, request, ORDERS, 'name');
    return {
      devices: page.items.map((device) => deviceRow(world, device)),
      nextPageToken: page.nextPageToken,
      totalSize: page.totalSize,
    };
  },
  'DeviceService/GetDevice': (world, _caller, { device }) => ({ device: deviceFor(world, deviceOf(world, device)) }),
  'DeviceService/RemoveDevice': (world, caller, { device: given }) => {
    const device = deviceOf(world, given);
    for (const session of world.sessions.values())
      if (session.deviceId === device.id)
        endSession(world, session.id ?? '', 'END_REASON_DEVICE_REMOVED', caller.user.name ?? '', '');
    world.record('device.removed', `user:${caller.user.name ?? ''}`, device.id ?? '');
    const removed = world.putDevice({
      ...device,
      state: 'DEVICE_STATE_REMOVED',
      online: false,
      removedTime: device.removedTime ?? world.time(),
    });
    return { device: deviceFor(world, removed) };
  },
  'DeviceService/UpdateDevice': (world, caller, request) => {
    const device = deviceOf(world, request.device);
    world.record('device.updated', `user:${caller.user.name ?? ''}`, device.id ?? '');
    return { device: deviceFor(world, world.putDevice({ ...device, labels: request.labels ?? {} })) };
  },
  'DeviceService/ResolveIdentityConflict': (world, caller, request) => {
    const device = deviceOf(world, request.device);
    if (device.state !== 'DEVICE_STATE_IDENTITY_CONFLICT')
      throw refuse('DEVICE_NOT_IN_CONFLICT', { device: device.name ?? '' });
    world.record('device.conflict_resolved', `user:${caller.user.name ?? ''}`, device.id ?? '');
    return { device: deviceFor(world, world.putDevice({ ...device, state: 'DEVICE_STATE_ENROLLED' })) };
  },
  'DeviceService/CreateJoinToken': (world, caller, { uses, ttl, device: given }) => {
    const count = uses === undefined || uses === 0 ? 1 : uses;
    if (count < 0 || count > 10_000) throw fieldInvalid('uses', 'must be 0 to 10,000');
    const lifeMs = durationFromProto(ttl) ?? 3_600_000;
    if (lifeMs < 1_000 || lifeMs > 30 * 86_400_000) throw fieldInvalid('ttl', 'must be 1 s to 30 days');
    const device = given === undefined ? undefined : deviceOf(world, given);
    if (device?.state === 'DEVICE_STATE_REMOVED') throw refuse('DEVICE_NOT_FOUND', { given: device.name ?? '' });
    if (device !== undefined && count !== 1) throw fieldInvalid('uses', 'a token for one device works once');
    const id = world.id('joinToken');
    const joinToken = {
      ...(device !== undefined && { deviceId: device.id ?? '', deviceName: device.name ?? '' }),
      id,
      uses: count,
      usesLeft: count,
      createTime: world.time(),
      expireTime: world.time(lifeMs),
      createdBy: caller.user.name ?? '',
    };
    world.joinTokens.set(id, joinToken);
    world.record('join_token.created', `user:${caller.user.name ?? ''}`, id);
    return { joinToken, secret: `cjt1.${id.slice(4)}.${'fake'.repeat(8)}` };
  },
  'DeviceService/CreateUninstallCode': (world, caller, { device: given, ttl }) => {
    const device = deviceOf(world, given);
    const lifeMs = durationFromProto(ttl) ?? 3_600_000;
    if (lifeMs < 60_000 || lifeMs > 7 * 86_400_000) throw fieldInvalid('ttl', 'must be 1 minute to 7 days');
    world.record('device.uninstall_allowed', `user:${caller.user.name ?? ''}`, device.id ?? '');
    return { code: 'fake.uninstall.code', expireTime: world.time(lifeMs) };
  },
  'DeviceService/ListJoinTokens': (world) => ({
    joinTokens: [...world.joinTokens.values()]
      .filter(
        (token) =>
          token.revokeTime === undefined &&
          (token.usesLeft ?? 0) > 0 &&
          Date.parse(token.expireTime ?? '') > world.clock.now(),
      )
      .reverse(),
  }),
  'DeviceService/RevokeJoinToken': (world, caller, { joinTokenId }) => {
    const token = find(world.joinTokens.values(), 'joinToken', joinTokenId, 'JOIN_TOKEN_NOT_FOUND');
    const revoked = { ...token, revokeTime: token.revokeTime ?? world.time() };
    world.joinTokens.set(token.id ?? '', revoked);
    world.record('join_token.revoked', `user:${caller.user.name ?? ''}`, token.id ?? '');
    return { joinToken: revoked };
  },
};
