import { Button, Card, CardBody, CardTitle, Content, Label } from '@patternfly/react-core';
import { useEffect, useRef, useState, type ReactElement } from 'react';
import { ApiError, errorSentence, fieldError } from '../../api/api-error.js';
import { useApiMutation } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import { useSetAuthState } from '../../auth/auth-actions.js';
import { PasswordField } from '../../auth/password-fields.js';
import { useSignedIn } from '../../auth/use-auth.js';
import { downloadText } from '../../export/download.js';
import { FormDialog, NoticeDialog } from '../../ui/form-dialog.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { Notice } from '../../ui/notice.js';
import { QrPicture } from '../../ui/qr-picture.js';
import { CopyText } from '../../ui/secret-once.js';
import { LoadingView } from '../../ui/states.js';
import { TextField } from '../../ui/text-field.js';

/** A second proof goes with a first one that is asked for here. */
const NO_PASSWORD =
  'You sign in through the provider, which asks for its own codes; yours here would never be asked for.';

/** Asks who is signed in once more: whether codes are on has changed. */
function useReload(): () => void {
  const { auth, toasts } = useServices();
  const setState = useSetAuthState();
  return () => {
    auth.state().then(setState, (error: unknown) => toasts.show('warning', 'Reload the page', errorSentence(error)));
  };
}

/** One-time codes: a second proof at the sign-in. */
export function CodesCard(): ReactElement {
  const { totpEnabled, hasPassword } = useSignedIn();
  const [open, setOpen] = useState<'on' | 'off'>();
  const reload = useReload();
  // Also after a failure: only the answer may have been lost.
  const close = (): void => {
    setOpen(undefined);
    reload();
  };
  return (
    <Card isCompact>
      <CardTitle component="h2">One-time codes</CardTitle>
      <CardBody className="curfew-stack">
        <span>
          {hasPassword || totpEnabled ? (
            <Label isCompact color={totpEnabled ? 'green' : 'grey'}>
              {totpEnabled ? 'on' : 'off'}
            </Label>
          ) : null}{' '}
          <span className="curfew-subtle">
            {hasPassword ? 'A code of an authenticator app, beside the password.' : NO_PASSWORD}
          </span>
        </span>
        <div>
          {totpEnabled ? (
            <Button variant="secondary" isDanger onClick={() => setOpen('off')}>
              Turn off…
            </Button>
          ) : (
            <GuardedButton
              variant="secondary"
              refusal={hasPassword ? undefined : NO_PASSWORD}
              onClick={() => setOpen('on')}
            >
              Turn on…
            </GuardedButton>
          )}
        </div>
      </CardBody>
      {open === 'on' ? <TurnOnDialog onClose={close} /> : null}
      {open === 'off' ? <TurnOffDialog onClose={close} /> : null}
    </Card>
  );
}

interface CodesDialogProps {
  readonly onClose: () => void;
}

function TurnOnDialog({ onClose }: CodesDialogProps): ReactElement {
  const [code, setCode] = useState('');
  const [recovery, setRecovery] = useState<readonly string[]>();
  const begin = useApiMutation('SignInService/BeginTotp', { quiet: true });
  const confirm = useApiMutation('SignInService/ConfirmTotp', {
    quiet: true,
    onDone: ({ recoveryCodes = [] }) => setRecovery(recoveryCodes),
  });
  // Each opening makes one secret, also where effects run twice.
  const begun = useRef(false);
  const { mutate } = begin;
  useEffect(() => {
    if (!begun.current) mutate({});
    begun.current = true;
  }, [mutate]);
  if (recovery !== undefined) return <RecoveryDialog codes={recovery} onClose={onClose} />;
  const wrong =
    fieldError(confirm.error, 'code') ??
    (confirm.error instanceof ApiError && confirm.error.code === 'TOTP_CODE_WRONG'
      ? 'This is not the code of this moment. Look again, and check the clock of the device.'
      : undefined);
  const { uri = '', secret = '' } = begin.data ?? {};
  return (
    <FormDialog
      title="Turn on one-time codes"
      submitLabel="Turn on"
      errorTitle="The codes are still off"
      error={begin.error ?? (wrong === undefined ? confirm.error : null)}
      isReady={/^\d{6}$/.test(code) && uri !== ''}
      isBusy={confirm.isPending}
      onClose={onClose}
      onSubmit={() => confirm.mutate({ code })}
    >
      {uri === '' ? (
        begin.error === null ? (
          <LoadingView what="the secret" />
        ) : null
      ) : (
        <>
          <Content component="p">Scan this with an authenticator app, or type the secret into it.</Content>
          <QrPicture label="QR code with the secret; the same is below as text" text={uri} />
          <CopyText label="Secret" text={secret} />
          <TextField
            id="totp-code"
            label="Code that the app shows now"
            isRequired
            inputMode="numeric"
            autoComplete="one-time-code"
            maxLength={6}
            value={code}
            onChange={(text) => setCode(text.replace(/\D/g, ''))}
            problem={wrong}
            hint="6 digits."
          />
        </>
      )}
    </FormDialog>
  );
}

function RecoveryDialog({
  codes,
  onClose,
}: {
  readonly codes: readonly string[];
  readonly onClose: () => void;
}): ReactElement {
  return (
    <NoticeDialog title="One-time codes are on" onClose={onClose}>
      <div className="curfew-stack">
        <Notice variant="warning" title="These recovery codes are shown once. Keep them now.">
          Each lets you in once in place of a code, for when you have lost the device that shows them.
        </Notice>
        <pre className="curfew-pre curfew-codes" tabIndex={0} aria-label="Recovery codes">
          {codes.join('\n')}
        </pre>
        <div className="curfew-buttons">
          <Button
            variant="secondary"
            onClick={() => downloadText('curfew-recovery-codes.txt', 'text/plain', `${codes.join('\n')}\n`)}
          >
            Save as a file
          </Button>
        </div>
      </div>
    </NoticeDialog>
  );
}

function TurnOffDialog({ onClose }: CodesDialogProps): ReactElement {
  const { toasts } = useServices();
  const [password, setPassword] = useState('');
  const remove = useApiMutation('SignInService/RemoveTotp', {
    quiet: true,
    onDone: () => {
      toasts.show('success', 'One-time codes are off');
      onClose();
    },
  });
  const wrong =
    remove.error instanceof ApiError && remove.error.code === 'PASSWORD_WRONG'
      ? 'This is not your password.'
      : undefined;
  return (
    <FormDialog
      title="Turn off one-time codes?"
      submitLabel="Turn off"
      isDanger
      errorTitle="The codes are still on"
      error={wrong === undefined ? remove.error : null}
      isReady={password !== ''}
      isBusy={remove.isPending}
      focus="totp-password"
      onClose={onClose}
      onSubmit={() => remove.mutate({ password })}
    >
      <Content component="p">The password alone lets you in then.</Content>
      <PasswordField
        id="totp-password"
        label="Password"
        autoComplete="current-password"
        value={password}
        onChange={setPassword}
        problem={wrong}
      />
    </FormDialog>
  );
}
