import { ActionGroup, Button, Card, CardBody, CardTitle, Content, Form } from '@patternfly/react-core';
import { useMutation } from '@tanstack/react-query';
import { useEffect, type SubmitEvent, type ReactElement } from 'react';
import { errorSentence, failureTitle } from '../api/api-error.js';
import { useServices } from '../app/services.js';
import { useSetAuthState, useSignOut } from './auth-actions.js';
import type { SignedInUser } from './auth-state.js';
import { useNewPassword, type PasswordChange } from './new-password.js';
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

const WORDS = {
  currentLabel: 'Password that you were given',
  currentWrong: 'This is not the password that you signed in with.',
};

function ChangePasswordForm(): ReactElement {
  const { api, auth } = useServices();
  const setState = useSetAuthState();
  const signOut = useSignOut();
  const change = useMutation({
    mutationFn: async (wish: PasswordChange) => {
      await api.call('SignInService/ChangePassword', wish);
      return auth.state();
    },
    onSuccess: setState,
  });
  const password = useNewPassword(change.error, WORDS);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (password.isReady) change.mutate(password.change);
  };
  return (
    <Form onSubmit={submit} aria-label="Choose a password">
      {password.error === null ? null : (
        <Notice variant="danger" isLiveRegion title={failureTitle(password.error, 'The password was not changed')}>
          {errorSentence(password.error)}
        </Notice>
      )}
      {password.fields}
      <ActionGroup>
        <Button type="submit" isDisabled={!password.isReady} isLoading={change.isPending}>
          Change password
        </Button>
        <Button variant="link" onClick={() => void signOut()}>
          Sign out
        </Button>
      </ActionGroup>
    </Form>
  );
}
