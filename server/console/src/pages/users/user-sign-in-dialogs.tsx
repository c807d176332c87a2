import { Content } from '@patternfly/react-core';
import { useState, type ReactElement } from 'react';
import { useApiMutation } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import type { ResetPasswordResponseJson } from '../../gen/api.js';
import { timeFromProto } from '../../model/proto-json.js';
import { FormDialog, NoticeDialog } from '../../ui/form-dialog.js';
import { SafeText } from '../../ui/safe-text.js';
import { SecretOnce, WorksUntil } from '../../ui/secret-once.js';
import { USER_REFRESHES, type UserDialogProps } from './edit-user-dialog.js';

/** Makes a one-time password for a user. */
export function ResetPasswordDialog({ user, onClose }: UserDialogProps): ReactElement {
  const [made, setMade] = useState<ResetPasswordResponseJson>();
  const reset = useApiMutation('SignInService/ResetPassword', {
    quiet: true,
    refreshes: [...USER_REFRESHES, 'SignInService/ListSignIns', 'UserService/ListApiTokens'],
    onDone: setMade,
  });
  if (made !== undefined)
    return (
      <NoticeDialog title="The password was reset" onClose={onClose}>
        <SecretOnce label={`One-time password of ${user.name ?? ''}`} text={made.password ?? ''}>
          Give it to <SafeText text={user.name ?? ''} /> on a way that you trust. It has to be changed at the next
          sign-in. <WorksUntil at={timeFromProto(made.expireTime)} />
        </SecretOnce>
      </NoticeDialog>
    );
  return (
    <FormDialog
      title={`Reset the password of ${user.name ?? ''}?`}
      submitLabel="Reset"
      isDanger
      errorTitle="The password was not reset"
      error={reset.error}
      isBusy={reset.isPending}
      onClose={onClose}
      onSubmit={() => reset.mutate({ user: user.id ?? '' })}
    >
      <Content component="p">
        The old password and every API token of the person stop working, those of programs too, and every sign-in ends.
        You get a one-time password to hand over.
      </Content>
    </FormDialog>
  );
}

/** Turns a user's one-time codes off, for who has lost the device that shows them. */
export function RemoveCodesDialog({ user, onClose }: UserDialogProps): ReactElement {
  const { toasts } = useServices();
  const remove = useApiMutation('SignInService/RemoveTotp', {
    quiet: true,
    refreshes: USER_REFRESHES,
    onDone: () => {
      toasts.show('success', 'One-time codes are off');
      onClose();
    },
  });
  return (
    <FormDialog
      title={`Turn off the one-time codes of ${user.name ?? ''}?`}
      submitLabel="Turn off"
      isDanger
      errorTitle="The codes are still on"
      error={remove.error}
      isBusy={remove.isPending}
      onClose={onClose}
      onSubmit={() => remove.mutate({ user: user.id ?? '' })}
    >
      <Content component="p">
        Until the person turns codes on again, the password alone lets them in. Make sure that it is them who asks.
      </Content>
    </FormDialog>
  );
}
