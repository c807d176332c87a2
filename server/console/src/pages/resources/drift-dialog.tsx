import { Content } from '@patternfly/react-core';
import { useState, type ReactElement } from 'react';
import { useApiMutation } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import type { ResourceDriftJson } from '../../gen/api.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { ReasonField } from '../../ui/reason-field.js';
import { SafeText } from '../../ui/safe-text.js';
import { RESOURCE_REFRESHES } from './use-resources.js';

/** What can be done about a difference: how it is called, and what it comes to. */
export const SETTLEMENTS = {
  accept: {
    method: 'ResourceService/AcceptDrift',
    button: 'Accept…',
    title: 'Accept this difference?',
    submitLabel: 'Accept',
    errorTitle: 'It was not accepted',
    done: 'Accepted',
  },
  'give-again': {
    method: 'ResourceService/GiveDriftAgain',
    button: 'Give again…',
    title: 'Give it again?',
    submitLabel: 'Give it again',
    errorTitle: 'It was not given again',
    done: 'A new session starts',
  },
  'take-away': {
    method: 'ResourceService/TakeDriftAway',
    button: 'Take away…',
    title: 'Take it away?',
    submitLabel: 'Take it away',
    errorTitle: 'It was not taken away',
    done: 'Taken away; the resource has confirmed it',
  },
} as const;
export type Settlement = keyof typeof SETTLEMENTS;

const textOf = (how: Settlement, kind: ResourceDriftJson['kind']): string => {
  if (how === 'give-again') return 'gets it in a new session, for the rest of the time that the old one had.';
  if (how === 'take-away') return 'loses it at once, however it came back.';
  return kind === 'DRIFT_KIND_REMOVED_BY_HAND'
    ? 'stays without it. The difference is shown no more.'
    : 'keeps it, and Curfew never takes it away. It is shown no more, until it is gone and comes back.';
};

export interface DriftDialogProps {
  readonly drift: ResourceDriftJson;
  readonly how: Settlement;
  readonly onClose: () => void;
}

/** Asks why, and settles a difference. */
export function DriftDialog({ drift, how, onClose }: DriftDialogProps): ReactElement {
  const { toasts } = useServices();
  const [reason, setReason] = useState('');
  const { method, title, submitLabel, errorTitle, done } = SETTLEMENTS[how];
  const settle = useApiMutation(method, {
    quiet: true,
    refreshes: RESOURCE_REFRESHES,
    onDone: () => {
      toasts.show('success', done);
      onClose();
    },
  });
  return (
    <FormDialog
      title={title}
      submitLabel={submitLabel}
      isDanger={how === 'take-away'}
      errorTitle={errorTitle}
      error={settle.error}
      isReady={reason.trim() !== ''}
      isBusy={settle.isPending}
      focus="drift-reason"
      onClose={onClose}
      onSubmit={() => settle.mutate({ driftId: drift.id ?? '', reason: reason.trim() })}
    >
      <Content component="p">
        <strong>
          <SafeText text={drift.subject ?? ''} />
        </strong>{' '}
        {textOf(how, drift.kind)}
      </Content>
      <ReasonField id="drift-reason" value={reason} onChange={setReason} hint="It stays in the audit log." />
    </FormDialog>
  );
}
