import { Card, CardBody, CardTitle } from '@patternfly/react-core';
import { useState, type ReactElement } from 'react';
import { ApiError, errorSentence, fieldError } from '../../api/api-error.js';
import { useApiMutation, useApiQuery } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import { LEAST_PASSWORD_LENGTH, PasswordField } from '../../auth/password-fields.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { GuardedButton } from '../../ui/guarded-button.js';

const NO_PASSWORD = 'You sign in through the provider and have no password here.';

/** One's own password. */
export function PasswordCard(): ReactElement {
  const me = useApiQuery('UserService/GetMe', {});
  const [isOpen, setOpen] = useState(false);
  const hasPassword = me.data?.user?.hasPassword !== false && me.data?.user !== undefined;
  const isKnown = me.data !== undefined;
  return (
    <Card isCompact>
      <CardTitle component="h2">Password</CardTitle>
      <CardBody className="curfew-stack">
        <span className="curfew-subtle">
          {isKnown && !hasPassword ? NO_PASSWORD : 'Changing it ends your other sign-ins.'}
        </span>
        <div>
          <GuardedButton
            variant="secondary"
            refusal={isKnown && !hasPassword ? NO_PASSWORD : undefined}
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

function PasswordDialog({ onClose }: { readonly onClose: () => void }): ReactElement {
  const { toasts } = useServices();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const change = useApiMutation('SignInService/ChangePassword', {
    quiet: true,
    refreshes: ['SignInService/ListSignIns'],
    onDone: () => {
      toasts.show('success', 'The password was changed', 'Your other sign-ins have ended.');
      onClose();
    },
  });
  const code = change.error instanceof ApiError ? change.error.code : undefined;
  const currentProblem = code === 'PASSWORD_WRONG' ? 'This is not your password.' : undefined;
  const nextProblem =
    fieldError(change.error, 'newPassword') ??
    (code === 'PASSWORD_TOO_WEAK' ? errorSentence(change.error) : undefined) ??
    (next !== '' && next.length < LEAST_PASSWORD_LENGTH ? `At least ${LEAST_PASSWORD_LENGTH} characters.` : undefined);
  const againProblem = again !== '' && again !== next ? 'The two are not the same.' : undefined;
  return (
    <FormDialog
      title="Change the password"
      submitLabel="Change"
      errorTitle="The password was not changed"
      error={(currentProblem ?? nextProblem) ? null : change.error}
      isReady={current !== '' && next.length >= LEAST_PASSWORD_LENGTH && next === again}
      isBusy={change.isPending}
      focus="current-password"
      onClose={onClose}
      onSubmit={() => change.mutate({ currentPassword: current, newPassword: next })}
    >
      <PasswordField
        id="current-password"
        label="Password of now"
        autoComplete="current-password"
        value={current}
        onChange={setCurrent}
        problem={currentProblem}
      />
      <PasswordField
        id="new-password"
        label="New password"
        autoComplete="new-password"
        value={next}
        onChange={setNext}
        problem={nextProblem}
        hint={`At least ${LEAST_PASSWORD_LENGTH} characters; a few words in a row are good.`}
      />
      <PasswordField
        id="new-password-again"
        label="New password again"
        autoComplete="new-password"
        value={again}
        onChange={setAgain}
        problem={againProblem}
      />
    </FormDialog>
  );
}
