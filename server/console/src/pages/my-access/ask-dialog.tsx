import { Notice } from '../../ui/notice.js';
import { formatDuration, parseDuration } from '@curfew/shared/browser';
import { Checkbox, Content } from '@patternfly/react-core';
import { useState, type ReactElement } from 'react';
import { ApiError, errorSentence, fieldError } from '../../api/api-error.js';
import { useApiMutation } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import { durationFromProto, durationToProto } from '../../model/proto-json.js';
import { DurationField, durationProblem } from '../../ui/duration-field.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { ReasonField } from '../../ui/reason-field.js';
import { SafeText } from '../../ui/safe-text.js';
import { TextField } from '../../ui/text-field.js';
import { whatWillHappen, type Target } from './my-access.js';

const HALF_AN_HOUR_MS = 1_800_000;

/** Codes of refusals that are about one field. */
const FIELD_OF: Readonly<Record<string, string>> = {
  REASON_INVALID: 'reason',
  TICKET_INVALID: 'ticket',
  DURATION_TOO_LONG: 'duration',
};

/** What is said at a field: also where the server gives that a code of its own. */
const refusalAt = (error: Error | null, field: string): string | undefined =>
  fieldError(error, field) ??
  (error instanceof ApiError && FIELD_OF[error.code] === field ? errorSentence(error) : undefined);

export interface AskDialogProps {
  readonly target: Target;
  readonly onClose: () => void;
}

interface Wish {
  readonly duration: string;
  readonly reason: string;
  readonly ticket: string;
  readonly breakGlass: boolean;
}

/** The moves of the dialog: asking, and what was refused at which field. */
function useAsk({ target, onClose }: AskDialogProps) {
  const { toasts } = useServices();
  const ask = useApiMutation('AccessService/CreateMyRequest', {
    quiet: true,
    refreshes: ['AccessService/ListMyTargets'],
    onDone: ({ request }) => {
      const state = request?.state;
      if (state === 'ACCESS_REQUEST_STATE_APPROVED')
        toasts.show('success', 'Approved', 'You can start the session now.');
      else if (state === 'ACCESS_REQUEST_STATE_STARTED')
        toasts.show('success', target.kind === 'device' ? 'The session starts' : 'Your access begins');
      else toasts.show('success', 'Asked', `It waits for ${request?.waitsFor ?? 'a decision'}.`);
      onClose();
    },
  });
  const send = ({ duration, reason, ticket, breakGlass }: Wish): void => {
    const ms = parseDuration(duration.trim());
    if (ms === undefined) return;
    ask.mutate({
      ...(target.kind === 'device' ? { device: target.id, account: target.accountName } : { resource: target.id }),
      duration: durationToProto(ms),
      reason: reason.trim(),
      ...(ticket.trim() === '' ? {} : { ticket: ticket.trim() }),
      ...(breakGlass ? { breakGlass } : {}),
    });
  };
  const at = (field: string): string | undefined => refusalAt(ask.error, field);
  const isAtField = ['duration', 'reason', 'ticket'].some((field) => at(field) !== undefined);
  return { send, at, isBusy: ask.isPending, error: isAtField ? null : ask.error };
}

/** Asks for a right: for how long, and why. Says what will happen then. */
export function AskDialog({ target, onClose }: AskDialogProps): ReactElement {
  const { answer } = target;
  const longest = durationFromProto(answer.maxDuration);
  const usual = durationFromProto(answer.defaultDuration) ?? Math.min(HALF_AN_HOUR_MS, longest ?? HALF_AN_HOUR_MS);
  const [wish, setWish] = useState<Wish>({
    duration: formatDuration(usual),
    reason: '',
    ticket: '',
    breakGlass: false,
  });
  const change = (more: Partial<Wish>): void => setWish({ ...wish, ...more });
  const { send, at, isBusy, error } = useAsk({ target, onClose });
  const needsTicket = answer.ticketRequired === true;
  return (
    <FormDialog
      title={target.kind === 'device' ? 'Ask for admin rights' : 'Ask for access'}
      submitLabel={wish.breakGlass ? 'Start without a decision' : 'Ask'}
      isDanger={wish.breakGlass}
      errorTitle="Nothing was asked for"
      error={error}
      isReady={
        durationProblem(wish.duration, longest) === undefined &&
        wish.reason.trim() !== '' &&
        (!needsTicket || wish.ticket.trim() !== '')
      }
      isBusy={isBusy}
      focus="ask-reason"
      onClose={onClose}
      onSubmit={() => send(wish)}
    >
      <TargetName target={target} />
      <DurationField
        id="ask-duration"
        label="For how long"
        value={wish.duration}
        onChange={(duration) => change({ duration })}
        longestMs={longest}
        problem={at('duration')}
      />
      <ReasonField
        id="ask-reason"
        label="Why"
        value={wish.reason}
        onChange={(reason) => change({ reason })}
        problem={at('reason')}
        hint="Who decides reads it, and it stays in the audit log."
      />
      {needsTicket ? (
        <TextField
          id="ask-ticket"
          label="Ticket"
          isRequired
          maxLength={100}
          value={wish.ticket}
          onChange={(ticket) => change({ ticket })}
          problem={at('ticket')}
          hint="The policy wants one."
        />
      ) : null}
      {answer.breakGlass === true ? (
        <Checkbox
          id="ask-break-glass"
          label="Emergency: start now, without a decision (break-glass)"
          isChecked={wish.breakGlass}
          onChange={(_event, breakGlass) => change({ breakGlass })}
        />
      ) : null}
      <WhatThen target={target} wish={wish} />
    </FormDialog>
  );
}

function TargetName({ target }: Pick<AskDialogProps, 'target'>): ReactElement {
  return (
    <Content component="p">
      <strong>
        <SafeText text={target.name} />
      </strong>
      {target.accountName === '' ? null : (
        <>
          , as the account{' '}
          <strong>
            <SafeText text={target.accountName} />
          </strong>
        </>
      )}
    </Content>
  );
}

function WhatThen({ target, wish }: { readonly target: Target; readonly wish: Wish }): ReactElement {
  return (
    <>
      <Notice
        className="curfew-plain-alert"
        variant={wish.breakGlass ? 'warning' : 'info'}
        isPlain
        isLiveRegion
        title={whatWillHappen(target, parseDuration(wish.duration.trim()), wish.breakGlass)}
      />
      {target.answer.freshSignInRequired === true ? (
        <Content component="small">Starting it needs a fresh proof of who you are.</Content>
      ) : null}
    </>
  );
}
