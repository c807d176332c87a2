import { formatDuration, parseDuration } from '@curfew/shared/browser';
import { Content } from '@patternfly/react-core';
import { useState, type ReactElement } from 'react';
import { ApiError, errorSentence, fieldError } from '../../api/api-error.js';
import { useApiMutation } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import { durationToProto } from '../../model/proto-json.js';
import { requestTarget, type RequestView } from '../../model/request.js';
import { durationText } from '../../model/time-text.js';
import { DurationField, durationProblem } from '../../ui/duration-field.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { ReasonField } from '../../ui/reason-field.js';
import { SafeText } from '../../ui/safe-text.js';

/** Kept answers that a decision makes old. */
const REFRESHES = [
  'RequestService/ListAccessRequests',
  'RequestService/GetAccessRequest',
  'ServerService/GetOverview',
] as const;

export interface DecideDialogProps {
  readonly request: RequestView;
  readonly onClose: () => void;
}

/** What is wrong with the reason: also where the server gives that a code of its own. */
const reasonProblem = (error: Error | null): string | undefined =>
  fieldError(error, 'reason') ??
  (error instanceof ApiError && error.code === 'REASON_INVALID' ? errorSentence(error) : undefined);

const Question = ({ request }: { readonly request: RequestView }): ReactElement => (
  <Content component="p">
    <strong>
      <SafeText text={request.userName} />
    </strong>{' '}
    asks for {request.deviceName === '' ? 'access to' : 'admin rights on'}{' '}
    <strong>
      <SafeText text={requestTarget(request)} />
    </strong>{' '}
    for {durationText(request.duration)}: “<SafeText text={request.reason} />”
  </Content>
);

/** Approves a request, for as long as was asked or less. */
export function ApproveDialog({ request, onClose }: DecideDialogProps): ReactElement {
  const { toasts } = useServices();
  const [duration, setDuration] = useState(() => formatDuration(request.duration));
  const [reason, setReason] = useState('');
  const ms = parseDuration(duration.trim());
  const approve = useApiMutation('RequestService/ApproveAccessRequest', {
    quiet: true,
    refreshes: REFRESHES,
    onDone: ({ request: now }) => {
      const isDone = now?.state !== 'ACCESS_REQUEST_STATE_PENDING';
      toasts.show('success', isDone ? 'Approved' : `Your approval counts; it waits for ${now.waitsFor ?? 'others'}`);
      onClose();
    },
  });
  const durationRefusal = fieldError(approve.error, 'duration');
  const reasonRefusal = reasonProblem(approve.error);
  const isLast = request.step >= request.stepCount;
  return (
    <FormDialog
      title="Approve this request"
      submitLabel={ms !== undefined && ms < request.duration ? `Approve for ${durationText(ms)}` : 'Approve'}
      errorTitle="The request was not approved"
      error={(durationRefusal ?? reasonRefusal) ? null : approve.error}
      isReady={durationProblem(duration, request.duration) === undefined}
      isBusy={approve.isPending}
      focus="approve-reason"
      onClose={onClose}
      onSubmit={() =>
        approve.mutate({
          requestId: request.id,
          reason: reason.trim(),
          ...(ms === undefined || ms === request.duration ? {} : { duration: durationToProto(ms) }),
        })
      }
    >
      <div>
        <Question request={request} />
        {isLast && request.deviceName === '' ? (
          <Content component="small">The access begins as soon as you approve.</Content>
        ) : null}
        {isLast ? null : (
          <Content component="small">
            Step {request.step} of {request.stepCount}: others decide after you.
          </Content>
        )}
      </div>
      <DurationField
        id="approve-duration"
        label="For how long"
        value={duration}
        onChange={setDuration}
        longestMs={request.duration}
        problem={durationRefusal}
        hint={`Never longer than asked: ${durationText(request.duration)}.`}
      />
      <ReasonField
        id="approve-reason"
        isRequired={false}
        value={reason}
        onChange={setReason}
        problem={reasonRefusal}
        hint="If you like. The person sees it, and it stays in the audit log."
      />
    </FormDialog>
  );
}

/** Denies a request, or takes its approval back, with a reason that the person sees. */
export function DenyDialog({ request, onClose }: DecideDialogProps): ReactElement {
  const { toasts } = useServices();
  const [reason, setReason] = useState('');
  const deny = useApiMutation('RequestService/DenyAccessRequest', {
    quiet: true,
    refreshes: REFRESHES,
    onDone: ({ request: now }) => {
      toasts.show('success', now?.state === 'ACCESS_REQUEST_STATE_CANCELLED' ? 'Taken back' : 'Denied');
      onClose();
    },
  });
  const refusal = reasonProblem(deny.error);
  const takesBack = request.state === 'approved';
  return (
    <FormDialog
      title={takesBack ? 'Take this approval back' : 'Deny this request'}
      submitLabel={takesBack ? 'Take back' : 'Deny'}
      isDanger
      errorTitle={takesBack ? 'The approval was not taken back' : 'The request was not denied'}
      error={refusal === undefined ? deny.error : null}
      isReady={reason.trim() !== ''}
      isBusy={deny.isPending}
      focus="deny-reason"
      onClose={onClose}
      onSubmit={() => deny.mutate({ requestId: request.id, reason: reason.trim() })}
    >
      <Question request={request} />
      <ReasonField
        id="deny-reason"
        value={reason}
        onChange={setReason}
        problem={refusal}
        hint="The person sees it, so say what would be allowed. It stays in the audit log."
      />
    </FormDialog>
  );
}

export interface ReviewDialogProps extends DecideDialogProps {
  readonly accepts: boolean;
}

/** Says afterwards whether a break-glass session was right. */
export function ReviewDialog({ request, accepts, onClose }: ReviewDialogProps): ReactElement {
  const { toasts } = useServices();
  const [reason, setReason] = useState('');
  const review = useApiMutation('RequestService/ReviewAccessRequest', {
    quiet: true,
    refreshes: REFRESHES,
    onDone: () => {
      toasts.show('success', accepts ? 'Reviewed: it was right' : 'Reviewed: it was wrong');
      onClose();
    },
  });
  const refusal = reasonProblem(review.error);
  return (
    <FormDialog
      title={accepts ? 'It was right' : 'It was wrong'}
      submitLabel={accepts ? 'Accept' : 'Reject'}
      isDanger={!accepts}
      errorTitle="The review was not taken"
      error={refusal === undefined ? review.error : null}
      isReady={reason.trim() !== ''}
      isBusy={review.isPending}
      focus="review-reason"
      onClose={onClose}
      onSubmit={() => review.mutate({ requestId: request.id, accepted: accepts, reason: reason.trim() })}
    >
      <Content component="p">
        <strong>
          <SafeText text={request.userName} />
        </strong>{' '}
        took {request.deviceName === '' ? 'access to' : 'admin rights on'}{' '}
        <strong>
          <SafeText text={requestTarget(request)} />
        </strong>{' '}
        before anybody had decided: “<SafeText text={request.reason} />
        ”. {accepts ? '' : 'A session that still runs goes on: revoke it on Active Sessions.'}
      </Content>
      <ReasonField
        id="review-reason"
        label="What you found"
        value={reason}
        onChange={setReason}
        problem={refusal}
        hint="It stays in the audit log."
      />
    </FormDialog>
  );
}
