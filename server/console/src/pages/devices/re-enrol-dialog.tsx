import { parseDuration } from '@curfew/shared/browser';
import { Content } from '@patternfly/react-core';
import { useState, type ReactElement } from 'react';
import { fieldError } from '../../api/api-error.js';
import { useApiMutation } from '../../api/use-api.js';
import { durationToProto } from '../../model/proto-json.js';
import { DurationField, durationProblem } from '../../ui/duration-field.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { SafeText } from '../../ui/safe-text.js';
import type { DeviceDialogProps } from './device-dialogs.js';
import { EnrolDialog, THIRTY_DAYS_MS, type Made } from './join-token-dialog.js';

/** Makes a join token for one device that was set up anew, and shows the commands that use it. */
export function ReEnrolDialog({ device, onClose }: DeviceDialogProps): ReactElement {
  const [life, setLife] = useState('1h');
  const [made, setMade] = useState<Made>();
  const deviceName = device.name ?? '';
  const create = useApiMutation('DeviceService/CreateJoinToken', {
    quiet: true,
    refreshes: ['DeviceService/ListJoinTokens'],
    onDone: ({ secret = '', joinToken }) => setMade({ secret, uses: 1, expireTime: joinToken?.expireTime, deviceName }),
  });
  if (made !== undefined) return <EnrolDialog made={made} onClose={onClose} />;
  const refusal = fieldError(create.error, 'ttl');
  const ms = parseDuration(life.trim());
  return (
    <FormDialog
      title={`Enrol ${deviceName} again`}
      submitLabel="Make a join token"
      errorTitle="No token was made"
      size="medium"
      error={refusal === undefined ? create.error : null}
      isReady={durationProblem(life, THIRTY_DAYS_MS) === undefined}
      isBusy={create.isPending}
      focus="token-life"
      onClose={onClose}
      onSubmit={() => create.mutate({ device: device.id ?? '', ttl: durationToProto(ms ?? 3_600_000) })}
    >
      <Content component="p">
        For a machine that was set up anew. Whoever enrols with this token becomes <SafeText text={deviceName} />: its
        name, labels and history stay. At that moment its sessions end, its open requests are cancelled and its former
        key is refused. Until then nothing changes.
      </Content>
      <DurationField
        id="token-life"
        label="Works for"
        value={life}
        onChange={setLife}
        longestMs={THIRTY_DAYS_MS}
        hasChoices={false}
        problem={refusal}
        hint="Such as 1h or 2d; at most 30 days. Shorter is safer."
      />
    </FormDialog>
  );
}
