import { ActionGroup, Button, Card, CardBody, CardTitle, Content, Form } from '@patternfly/react-core';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useState, type SubmitEvent, type ReactElement } from 'react';
import { ApiError, errorSentence, fieldError } from '../api/api-error.js';
import { useServices } from '../app/services.js';
import { useSetAuthState, useSignOut } from './auth-actions.js';
import type { SignedInUser } from './auth-state.js';
import { LEAST_PASSWORD_LENGTH, PasswordField } from './password-fields.js';
import { Notice } from '../ui/notice.js';

/** For those whose password was given to them: nothing else is open until they have one of their own. */
export function ChangePasswordPage({ user }: { readonly user: SignedInUser }): ReactElement {
  useEffect(() => {
    document.title = 'Choose a password · Curfew';
  }, []);
  return (
    <main className="curfew-sign-in">
      <Card>
        <CardTitle component="h1">Choose a password</CardTitle>
        <CardBody>
          <Content component="p">
            You are signed in as {user.name} with a password that works once. Choose one that only you know.
          </Content>
          <ChangePasswordForm />
        </CardBody>
      </Card>
    </main>
  );
}

function ChangePasswordForm(): ReactElement {
  const { api, auth } = useServices();
  const setState = useSetAuthState();
  const signOut = useSignOut();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const change = useMutation({
    mutationFn: async () => {
      await api.call('SignInService/ChangePassword', { currentPassword: current, newPassword: next });
      return auth.state();
    },
    onSuccess: setState,
  });
  const code = change.error instanceof ApiError ? change.error.code : undefined;
  const currentProblem = code === 'PASSWORD_WRONG' ? 'This is not the password that you signed in with.' : undefined;
  const nextProblem =
    fieldError(change.error, 'newPassword') ??
    (code === 'PASSWORD_TOO_WEAK' ? errorSentence(change.error) : undefined) ??
    (next !== '' && next.length < LEAST_PASSWORD_LENGTH ? `At least ${LEAST_PASSWORD_LENGTH} characters.` : undefined);
  const againProblem = again !== '' && again !== next ? 'The two are not the same.' : undefined;
  const ready = current !== '' && next.length >= LEAST_PASSWORD_LENGTH && next === again;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (ready) change.mutate();
  };
  return (
    <Form onSubmit={submit} aria-label="Choose a password">
      {change.error === null || currentProblem !== undefined || nextProblem !== undefined ? null : (
        <Notice variant="danger" isLiveRegion title="The password was not changed">
          {errorSentence(change.error)}
        </Notice>
      )}
      <PasswordField
        id="current-password"
        label="Password that you were given"
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
      <ActionGroup>
        <Button type="submit" isDisabled={!ready} isLoading={change.isPending}>
          Change password
        </Button>
        <Button variant="link" onClick={() => void signOut()}>
          Sign out
        </Button>
      </ActionGroup>
    </Form>
  );
}
