import { BanIcon } from '@patternfly/react-icons/dist/esm/icons/ban-icon.js';
import { CheckCircleIcon } from '@patternfly/react-icons/dist/esm/icons/check-circle-icon.js';
import { ExclamationCircleIcon } from '@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon.js';
import { PendingIcon } from '@patternfly/react-icons/dist/esm/icons/pending-icon.js';
import type { ReactElement } from 'react';
import { recordingStatus, type RecordingStatus, type RecordingView } from '../../model/recording.js';
import { CompactLabel, type CompactLabelProps } from '../../ui/compact-label.js';

const LOOKS: Readonly<Record<RecordingStatus['look'], Pick<CompactLabelProps, 'color' | 'icon'>>> = {
  good: { color: 'green', icon: <CheckCircleIcon /> },
  busy: { color: 'blue', icon: <PendingIcon /> },
  bad: { color: 'orange', icon: <BanIcon /> },
  over: { color: 'grey', icon: <ExclamationCircleIcon /> },
};

/** How a command stands or ended. */
export function RecordingLabel({ recording }: { readonly recording: RecordingView }): ReactElement {
  const { text, look } = recordingStatus(recording);
  return <CompactLabel {...LOOKS[look]}>{text}</CompactLabel>;
}
