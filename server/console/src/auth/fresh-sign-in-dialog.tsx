import { Button, Content, Divider } from '@patternfly/react-core';
import { useMutation } from '@tanstack/react-query';
import { useState, type ReactElement } from 'react';
import { ApiError } from '../api/api-error.js';
import { useServices } from '../app/services.js';
import { FormDialog, NoticeDialog } from '../ui/form-dialog.js';
import { TextField } from '../ui/text-field.js';
import { useSetAuthState } from './auth-actions.js';
import { oidcStartPath } from './auth-client.js';
import { PasswordField } from './password-fields.js';
import { useSignedIn } from './use-auth.js';

export interface FreshSignInDialogProps {
  /** What the proof is for, in a sentence. */
  readonly why: string;
  readonly onProved: () => void;
  readonly onClose: () => void;
}

/** Whether what was refused can be done after a new proof of who this is. */
export const needsFreshSignIn = (error: unknown): boolean =>
  error instanceof ApiError && error.code === 'FRESH_SIGN_IN_REQUIRED';

const TITLE = 'Is it still you?';

/** Asks once more who this is: for the password, or at the provider; with the password it goes on with what needed it. */
export function FreshSignInDialog(props: FreshSignInDialogProps): ReactElement {
  return useSignedIn().hasPassword ? <PasswordDialog {...props} /> : <ProviderDialog {...props} />;
}

const Why = ({ why }: Pick<FreshSignInDialogProps, 'why'>): ReactElement => (
  <Content component="p">
    {why} You are signed in as {useSignedIn().user.name}.
  </Content>
);

const ProviderButton = ({ label }: { readonly label: string }): ReactElement => (
  <Button
    variant="secondary"
    component="a"
    href={`${oidcStartPath(location.pathname + location.search)}&fresh=1`}
    isBlock
  >
    {label}
  </Button>
);

/** For those who have no password here. */
function ProviderDialog({ why, onClose }: FreshSignInDialogProps): ReactElement {
  const { oidc } = useSignedIn().methods;
  return (
    <NoticeDialog title={TITLE} size="small" onClose={onClose}>
      <Why why={why} />
      {oidc === null ? (
        <Content component="p">
          You have no password here, and this server has no provider any more. Ask an administrator for a password.
        </Content>
      ) : (
        <>
          <Content component="p">The provider brings you back to this page; do it again then.</Content>
          <ProviderButton label={oidc.label} />
        </>
      )}
    </NoticeDialog>
  );
}

function PasswordDialog({ why, onProved, onClose }: FreshSignInDialogProps): ReactElement {
  const { auth } = useServices();
  const { methods, totpEnabled } = useSignedIn();
  const setState = useSetAuthState();
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [codeWanted, setCodeWanted] = useState(totpEnabled);
  const prove = useMutation({
    mutationFn: () => auth.prove(password, code),
    onSuccess: (state) => {
      setState(state);
      onProved();
    },
    onError: (error) => {
      if (error instanceof ApiError && error.code === 'TOTP_CODE_REQUIRED') setCodeWanted(true);
    },
  });
  const failed = prove.error instanceof ApiError ? prove.error.code : undefined;
  const misses = failed === 'TOTP_CODE_REQUIRED' && code === '';
  return (
    <FormDialog
      title={TITLE}
      submitLabel="Go on"
      errorTitle="Not proved"
      error={misses ? null : prove.error}
      isReady={password !== '' && (!codeWanted || code !== '')}
      isBusy={prove.isPending}
      focus="fresh-password"
      onClose={onClose}
      onSubmit={() => prove.mutate()}
    >
      <Why why={why} />
      {methods.oidc === null ? null : (
        <>
          <ProviderButton label={methods.oidc.label} />
          <Divider />
        </>
      )}
      <PasswordField
        id="fresh-password"
        label="Password"
        autoComplete="current-password"
        value={password}
        onChange={setPassword}
      />
      {codeWanted ? (
        <TextField
          id="fresh-code"
          label="Code"
          isRequired
          inputMode="numeric"
          autoComplete="one-time-code"
          hint="The 6 digits that your authenticator shows, or a recovery code."
          value={code}
          onChange={(text) => setCode(text.trim())}
        />
      ) : null}
    </FormDialog>
  );
}
