import type { Actor } from '../audit/audit-entry.js';
import type { DeviceRow } from './find-device.js';

/** A device as the one who did something. */
export const deviceActor = (device: Pick<DeviceRow, 'id' | 'name'>): Actor => ({
  kind: 'device',
  id: device.id,
  name: device.name,
});
