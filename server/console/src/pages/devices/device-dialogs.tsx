import { Content, List, ListItem } from '@patternfly/react-core';
import { Notice } from '../../ui/notice.js';
import type { ReactElement } from 'react';
import { useApiMutation, useApiQuery } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import type { DeviceJson } from '../../gen/api.js';
import { sessionFromProto } from '../../model/session.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { SafeText } from '../../ui/safe-text.js';
import { LoadingView } from '../../ui/states.js';
import { TimeLeft } from '../../ui/times.js';

const REFRESHES = ['DeviceService/GetDevice', 'DeviceService/ListDevices', 'SessionService/ListSessions'] as const;
const NAMED = 8;

export interface DeviceDialogProps {
  readonly device: DeviceJson;
  readonly onClose: () => void;
}

/** Whose sessions end. */
function SessionsThere({ device }: Pick<DeviceDialogProps, 'device'>): ReactElement {
  const live = useApiQuery('SessionService/ListSessions', { filter: { device: device.id ?? '' }, pageSize: NAMED });
  if (live.error !== null)
    return <Notice variant="warning" title="Every session there ends now; whose could not be looked up." />;
  if (live.isPending) return <LoadingView what="the sessions there" />;
  const sessions = (live.data.sessions ?? []).map(sessionFromProto);
  const total = live.data.totalSize ?? sessions.length;
  if (sessions.length === 0) return <Content component="p">Nobody has a session there now.</Content>;
  return (
    <>
      <Content component="p">{total === 1 ? 'One session ends now:' : `${total} sessions end now:`}</Content>
      <List>
        {sessions.map((session) => (
          <ListItem key={session.id}>
            <strong>
              <SafeText text={session.userName} />
            </strong>{' '}
            as <SafeText text={session.accountName} />, <TimeLeft until={session.expireTime} /> left
          </ListItem>
        ))}
        {total > sessions.length ? <ListItem>and {total - sessions.length} more</ListItem> : null}
      </List>
    </>
  );
}

/** Removes a device: names whose sessions end, and what that means while it is out of reach. */
export function RemoveDeviceDialog({ device, onClose }: DeviceDialogProps): ReactElement {
  const { toasts } = useServices();
  const remove = useApiMutation('DeviceService/RemoveDevice', {
    quiet: true,
    refreshes: REFRESHES,
    onDone: () => {
      toasts.show('success', 'The device was removed');
      onClose();
    },
  });
  return (
    <FormDialog
      title={`Remove ${device.name ?? ''}?`}
      submitLabel="Remove the device"
      isDanger
      size="medium"
      error={remove.error}
      errorTitle="The device was not removed"
      isBusy={remove.isPending}
      onClose={onClose}
      onSubmit={() => remove.mutate({ device: device.id ?? '' })}
    >
      <Content component="p">
        Its certificate is worth nothing from now on and its link is cut. To come back it has to enrol again. Its
        history stays.
      </Content>
      <SessionsThere device={device} />
      {device.online === true ? null : (
        <Notice variant="warning" title="The device is out of reach">
          Rights that it still holds end there by themselves when their time is over, not before.
        </Notice>
      )}
    </FormDialog>
  );
}

/** Says that the second user of a device's identity is gone. */
export function ResolveConflictDialog({ device, onClose }: DeviceDialogProps): ReactElement {
  const { toasts } = useServices();
  const resolve = useApiMutation('DeviceService/ResolveIdentityConflict', {
    quiet: true,
    refreshes: REFRESHES,
    onDone: () => {
      toasts.show('success', 'The conflict is resolved', 'The device can hold rights again.');
      onClose();
    },
  });
  return (
    <FormDialog
      title="Is the second agent gone?"
      submitLabel="It is gone: resolve"
      isDanger
      size="medium"
      error={resolve.error}
      errorTitle="The conflict was not resolved"
      isBusy={resolve.isPending}
      onClose={onClose}
      onSubmit={() => resolve.mutate({ device: device.id ?? '' })}
    >
      <Content component="p">
        Two agents have used the identity of <SafeText text={device.name ?? ''} />, such as a copy of a virtual machine
        or of its disk. Its sessions have ended and no right is given there.
      </Content>
      <Content component="p">
        Resolve it once you have found the copy and deleted its state, or enrolled it anew. If you cannot find it,
        remove the device instead and enrol the right machine again.
      </Content>
    </FormDialog>
  );
}
