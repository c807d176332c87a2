import { createHash } from 'node:crypto';

/** A rollout's choice of devices. */
export interface Choice {
  readonly percent: number;
  readonly deviceIds: readonly string[];
}

/**
 * Whether a device is one of those that are chosen: by name, or by a hash of its id, which gives it a place between 0 and 100 for
 * ever. So a larger share has everybody of a smaller one, and the same devices come first in every rollout.
 */
export function isChosen(deviceId: string, { percent, deviceIds }: Choice): boolean {
  if (deviceIds.includes(deviceId)) return true;
  const place = (createHash('sha256').update(deviceId).digest().readUInt32BE(0) / 2 ** 32) * 100;
  return place < percent;
}
