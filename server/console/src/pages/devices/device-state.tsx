import { Label } from '@patternfly/react-core';
import { CheckCircleIcon } from '@patternfly/react-icons/dist/esm/icons/check-circle-icon.js';
import { ExclamationTriangleIcon } from '@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon.js';
import { UnlinkIcon } from '@patternfly/react-icons/dist/esm/icons/unlink-icon.js';
import type { ReactElement } from 'react';
import type { DeviceJson } from '../../gen/api.js';
import { timeFromProto } from '../../model/proto-json.js';
import { Ago } from '../../ui/times.js';

/** Whether two agents use the identity of the device. */
export const isInConflict = ({ state }: DeviceJson): boolean => state === 'DEVICE_STATE_IDENTITY_CONFLICT';

export const isRemoved = ({ state }: DeviceJson): boolean => state === 'DEVICE_STATE_REMOVED';

/** How a device stands: in reach or not, since when, and what is wrong. */
export function DeviceState({ device }: { readonly device: DeviceJson }): ReactElement {
  if (isRemoved(device))
    return (
      <Label color="grey" isCompact>
        removed
      </Label>
    );
  if (isInConflict(device))
    return (
      <Label color="red" icon={<ExclamationTriangleIcon />} isCompact>
        identity conflict
      </Label>
    );
  if (device.online === true)
    return (
      <Label color="green" icon={<CheckCircleIcon />} isCompact>
        online
      </Label>
    );
  const seen = timeFromProto(device.lastSeenTime);
  return (
    <>
      <Label color="grey" icon={<UnlinkIcon />} isCompact>
        offline
      </Label>
      <div className="curfew-detail">{seen === undefined ? 'never seen' : <Ago at={seen} />}</div>
    </>
  );
}
