import { Release, Rollout, RolloutState, UpdateState, UpdateStatus } from '@curfew/proto';
import type { DeviceRow } from '../devices/find-device.js';
import type { ReleaseRow } from '../releases/releases.js';
import type { RolloutRecord } from '../releases/rollouts.js';
import { dateFromMs } from './proto-values.js';

type ToldUpdate = Pick<DeviceRow, 'update_state' | 'update_version' | 'update_code' | 'update_detail'>;

/** What a device said of a release; undefined when it takes none. */
export function updateToProto(device: ToldUpdate): UpdateStatus | undefined {
  const { update_state: state, update_version: version, update_code: code, update_detail: detail } = device;
  if (state === null) return undefined;
  const states = UpdateState as unknown as Record<string, UpdateState>;
  return UpdateStatus.fromPartial({
    state: states[state.toUpperCase()] ?? UpdateState.UNSPECIFIED,
    version,
    code,
    detail,
  });
}

export function releaseToProto(row: ReleaseRow): Release {
  return Release.fromPartial({
    id: row.id,
    version: row.version,
    platform: row.platform,
    architecture: row.arch,
    size: BigInt(row.size),
    sha256: row.sha256,
    keyId: row.key_id,
    receivedSize: BigInt(row.received),
    createTime: dateFromMs(row.created_at_ms),
    createdBy: row.created_by,
  });
}

export function rolloutToProto(record: RolloutRecord): Rollout {
  const states = RolloutState as unknown as Record<string, RolloutState>;
  return Rollout.fromPartial({
    id: record.id,
    version: record.version,
    state: states[record.state.toUpperCase()] ?? RolloutState.UNSPECIFIED,
    reason: record.reason,
    percent: record.percent,
    deviceIds: [...record.deviceIds],
    startTime: dateFromMs(record.started_at_ms),
    startedBy: record.started_by,
    chosenDevices: record.chosen,
    currentDevices: record.current,
    devices: record.devices.map((device) => ({
      deviceId: device.id,
      deviceName: device.name,
      agentVersion: device.agentVersion,
      update: updateToProto(device),
    })),
  });
}
