import {
  ActionGroup,
  Button,
  Card,
  CardBody,
  CardHeader,
  CardTitle,
  Divider,
  Form,
  FormGroup,
  FormHelperText,
  HelperText,
  HelperTextItem,
  TextInput,
} from '@patternfly/react-core';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState, type SubmitEvent, type ReactElement } from 'react';
import { ApiError, errorSentence } from '../api/api-error.js';
import { useServices } from '../app/services.js';
import { useSetAuthState } from './auth-actions.js';
import { oidcStartPath } from './auth-client.js';
import type { SignInMethods } from './auth-state.js';
import { useLanding } from './use-landing.js';
import { Notice } from '../ui/notice.js';

/** Signs in with a password and, where it is asked for, a one-time code, or through the provider. */
export function SignInPage({ methods }: { readonly methods: SignInMethods }): ReactElement {
  const { problem, next, goOn } = useLanding();
  useEffect(() => {
    document.title = 'Sign in · Curfew';
  }, []);
  return (
    <main className="curfew-sign-in">
      <Card>
        <CardHeader>
          <span className="curfew-logo">
            <img src="/icon.svg" alt="" width="32" height="32" />
            Curfew
          </span>
        </CardHeader>
        <CardTitle component="h1">Sign in</CardTitle>
        <CardBody>
          {problem === undefined ? null : (
            <Notice variant="danger" isLiveRegion className="curfew-named" title="Not signed in">
              {problem}
            </Notice>
          )}
          {methods.oidc === null ? null : (
            <>
              <Button component="a" href={oidcStartPath(next)} isBlock>
                {methods.oidc.label}
              </Button>
              {methods.password ? <Divider className="curfew-divider" /> : null}
            </>
          )}
          {methods.password ? <PasswordForm isSecondary={methods.oidc !== null} onSignedIn={goOn} /> : null}
        </CardBody>
      </Card>
    </main>
  );
}

interface PasswordFormProps {
  readonly isSecondary: boolean;
  /** Called before anything is shown to who is signed in. */
  readonly onSignedIn: () => void;
}

function PasswordForm({ isSecondary, onSignedIn }: PasswordFormProps): ReactElement {
  const { auth } = useServices();
  const setState = useSetAuthState();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [codeWanted, setCodeWanted] = useState(false);
  const codeRef = useRef<HTMLInputElement>(null);
  const signIn = useMutation({
    mutationFn: () => auth.signIn(name, password, code),
    onSuccess: (state) => {
      onSignedIn();
      setState(state);
    },
    onError: (error) => {
      if (error instanceof ApiError && error.code === 'TOTP_CODE_REQUIRED') setCodeWanted(true);
    },
  });
  useEffect(() => {
    if (codeWanted) codeRef.current?.focus();
  }, [codeWanted]);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    signIn.mutate();
  };
  const missesCode = signIn.error instanceof ApiError && signIn.error.code === 'TOTP_CODE_REQUIRED' && code === '';
  return (
    <Form onSubmit={submit} aria-label="Sign in with a password">
      {signIn.error === null || missesCode ? null : <SignInProblem error={signIn.error} />}
      <FormGroup label="User name" fieldId="sign-in-name" isRequired>
        <TextInput
          id="sign-in-name"
          autoComplete="username"
          isRequired
          value={name}
          onChange={(_event, value) => setName(value)}
        />
      </FormGroup>
      <FormGroup label="Password" fieldId="sign-in-password" isRequired>
        <TextInput
          id="sign-in-password"
          type="password"
          autoComplete="current-password"
          isRequired
          value={password}
          onChange={(_event, value) => setPassword(value)}
        />
      </FormGroup>
      {codeWanted ? (
        <FormGroup label="Code" fieldId="sign-in-code" isRequired>
          <TextInput
            id="sign-in-code"
            ref={codeRef}
            inputMode="numeric"
            autoComplete="one-time-code"
            isRequired
            value={code}
            onChange={(_event, value) => setCode(value.trim())}
          />
          <FormHelperText>
            <HelperText>
              <HelperTextItem>The 6 digits that your authenticator shows, or a recovery code.</HelperTextItem>
            </HelperText>
          </FormHelperText>
        </FormGroup>
      ) : null}
      <ActionGroup>
        <Button
          type="submit"
          variant={isSecondary ? 'secondary' : 'primary'}
          isBlock
          isLoading={signIn.isPending}
          isDisabled={name === '' || password === '' || (codeWanted && code === '')}
        >
          Sign in
        </Button>
      </ActionGroup>
    </Form>
  );
}

function SignInProblem({ error }: { readonly error: Error }): ReactElement {
  const wait = error instanceof ApiError ? error.retryAfterSeconds : undefined;
  return (
    <Notice variant="danger" isLiveRegion title="Not signed in">
      {errorSentence(error)} {wait === undefined ? null : `Try again in ${wait} s.`}
    </Notice>
  );
}
