import { formatDuration, parseDuration, type SessionKind } from '@curfew/shared/browser';
import { useState, type ReactElement } from 'react';
import { ApiError, errorSentence, fieldError } from '../../api/api-error.js';
import { useApiMutation } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import { durationToProto } from '../../model/proto-json.js';
import { DurationField, durationProblem } from '../../ui/duration-field.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { ReasonField } from '../../ui/reason-field.js';
import { ChoiceField, TextField } from '../../ui/text-field.js';
import { useDeviceNames, useResourceNames, useUserNames } from '../../ui/use-names.js';

const HALF_AN_HOUR_MS = 1_800_000;

/** Codes of refusals that are about one field. */
const FIELD_OF: Readonly<Record<string, string>> = {
  USER_NOT_FOUND: 'user',
  USER_DISABLED: 'user',
  SELF_APPROVAL: 'user',
  RESOURCE_SUBJECT_UNKNOWN: 'user',
  DEVICE_NOT_FOUND: 'target',
  RESOURCE_NOT_FOUND: 'target',
  RESOURCE_DISABLED: 'target',
  CONNECTOR_DISABLED: 'target',
  ACCOUNT_NOT_FOUND: 'account',
  ACCOUNT_INELIGIBLE: 'account',
  DURATION_TOO_LONG: 'duration',
};

export interface GrantDialogProps {
  readonly kind: SessionKind;
  /** The device or the resource to begin with. */
  readonly target?: string;
  readonly onClose: () => void;
}

interface Wish {
  readonly kind: SessionKind;
  readonly user: string;
  readonly target: string;
  readonly account: string;
  readonly duration: string;
  readonly reason: string;
}

const isReady = ({ user, target, duration, reason }: Wish): boolean =>
  [user, target, reason].every((text) => text.trim() !== '') && durationProblem(duration, undefined) === undefined;

/** The move of the dialog, and what was refused at which field. */
function useGrant(kind: SessionKind, onClose: () => void) {
  const { toasts } = useServices();
  const grant = useApiMutation('SessionService/GrantSession', {
    quiet: true,
    refreshes: ['SessionService/ListSessions', 'ResourceService/ListResources'],
    onDone: () => {
      toasts.show('success', 'The session starts');
      onClose();
    },
  });
  const send = (wish: Wish): void => {
    const ms = parseDuration(wish.duration.trim());
    if (ms === undefined) return;
    const isDevice = wish.kind === 'device_admin';
    grant.mutate({
      user: wish.user.trim(),
      ...(isDevice ? { device: wish.target.trim() } : { resource: wish.target.trim() }),
      ...(isDevice && wish.account.trim() !== '' ? { account: wish.account.trim() } : {}),
      duration: durationToProto(ms),
      reason: wish.reason.trim(),
    });
  };
  const at = (field: string): string | undefined => {
    const sent = field === 'target' ? (kind === 'device_admin' ? 'device' : 'resource') : field;
    const { error } = grant;
    return (
      fieldError(error, sent) ??
      (error instanceof ApiError && FIELD_OF[error.code] === field ? errorSentence(error) : undefined)
    );
  };
  const isAtField = ['user', 'target', 'account', 'duration', 'reason'].some((field) => at(field) !== undefined);
  return { send, at, isBusy: grant.isPending, error: isAtField ? null : grant.error };
}

/** Gives somebody a session directly, without a request. */
export function GrantDialog({ kind, target = '', onClose }: GrantDialogProps): ReactElement {
  const [wish, setWish] = useState<Wish>({
    kind,
    user: '',
    target,
    account: '',
    duration: formatDuration(HALF_AN_HOUR_MS),
    reason: '',
  });
  const { send, at, isBusy, error } = useGrant(wish.kind, onClose);
  const change = (more: Partial<Wish>): void => setWish({ ...wish, ...more });
  return (
    <FormDialog
      title="Give a session"
      submitLabel="Give it now"
      errorTitle="Nothing was given"
      error={error}
      isReady={isReady(wish)}
      isBusy={isBusy}
      focus="grant-user"
      onClose={onClose}
      onSubmit={() => send(wish)}
    >
      <WhoAndWhat wish={wish} isFixed={target !== ''} change={change} at={at} />
      <DurationField
        id="grant-duration"
        label="For how long"
        value={wish.duration}
        onChange={(duration) => change({ duration })}
        problem={at('duration')}
      />
      <ReasonField
        id="grant-reason"
        label="Why"
        value={wish.reason}
        onChange={(reason) => change({ reason })}
        problem={at('reason')}
        hint="The person sees it, and it stays in the audit log."
      />
    </FormDialog>
  );
}

interface WhoAndWhatProps {
  readonly wish: Wish;
  readonly isFixed: boolean;
  readonly change: (more: Partial<Wish>) => void;
  readonly at: (field: string) => string | undefined;
}

function WhoAndWhat({ wish, isFixed, change, at }: WhoAndWhatProps): ReactElement {
  const users = useUserNames(wish.user);
  const isDevice = wish.kind === 'device_admin';
  const devices = useDeviceNames(isDevice ? wish.target : '');
  const resources = useResourceNames(isDevice ? '' : wish.target);
  return (
    <>
      <TextField
        id="grant-user"
        label="User"
        isRequired
        value={wish.user}
        onChange={(user) => change({ user })}
        suggestions={users}
        problem={at('user')}
      />
      {isFixed ? null : (
        <ChoiceField
          id="grant-kind"
          label="Kind"
          value={wish.kind}
          choices={[
            ['device_admin', 'Device Admin: admin rights on a device'],
            ['timed_access', 'Timed Access: access to a resource'],
          ]}
          onChange={(kind) => change({ kind, target: '', account: '' })}
        />
      )}
      <TextField
        id="grant-target"
        label={isDevice ? 'Device' : 'Resource'}
        isRequired
        isDisabled={isFixed}
        value={wish.target}
        onChange={(target) => change({ target })}
        suggestions={isDevice ? devices : resources}
        problem={at('target')}
      />
      {isDevice ? (
        <TextField
          id="grant-account"
          label="Account"
          value={wish.account}
          onChange={(account) => change({ account })}
          problem={at('account')}
          hint="Empty: the user’s own there."
        />
      ) : null}
    </>
  );
}
