import { Card, CardBody, CardTitle } from '@patternfly/react-core';
import { useState, type ReactElement } from 'react';
import { useApiMutation } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import { useNewPassword } from '../../auth/new-password.js';
import { useSignedIn } from '../../auth/use-auth.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { GuardedButton } from '../../ui/guarded-button.js';

const CHANGING =
  'Changing it ends your other sign-ins and those of curfewctl. API tokens that were made on purpose work on.';
const NO_PASSWORD = 'You sign in through the provider and have no password here.';

/** One's own password. */
export function PasswordCard(): ReactElement {
  const { hasPassword } = useSignedIn();
  const [isOpen, setOpen] = useState(false);
  return (
    <Card isCompact>
      <CardTitle component="h2">Password</CardTitle>
      <CardBody className="curfew-stack">
        <span className="curfew-subtle">{hasPassword ? CHANGING : NO_PASSWORD}</span>
        <div>
          <GuardedButton
            variant="secondary"
            refusal={hasPassword ? undefined : NO_PASSWORD}
            onClick={() => setOpen(true)}
          >
            Change the password…
          </GuardedButton>
        </div>
      </CardBody>
      {isOpen ? <PasswordDialog onClose={() => setOpen(false)} /> : null}
    </Card>
  );
}

const WORDS = { currentLabel: 'Password of now', currentWrong: 'This is not your password.' };

function PasswordDialog({ onClose }: { readonly onClose: () => void }): ReactElement {
  const { toasts } = useServices();
  const change = useApiMutation('SignInService/ChangePassword', {
    quiet: true,
    refreshes: ['SignInService/ListSignIns', 'UserService/ListApiTokens'],
    onDone: () => {
      toasts.show('success', 'The password was changed', 'Your other sign-ins have ended.');
      onClose();
    },
  });
  const password = useNewPassword(change.error, WORDS);
  return (
    <FormDialog
      title="Change the password"
      submitLabel="Change"
      errorTitle="The password was not changed"
      error={password.error}
      isReady={password.isReady}
      isBusy={change.isPending}
      focus="current-password"
      onClose={onClose}
      onSubmit={() => change.mutate(password.change)}
    >
      {password.fields}
    </FormDialog>
  );
}
