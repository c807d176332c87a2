import { AlertActionCloseButton, Progress } from '@patternfly/react-core';
import { useSyncExternalStore, type ReactElement } from 'react';
import { errorSentence } from '../../api/api-error.js';
import type { RevokeProgress, RevokeRun } from './revoke-run.js';
import { Notice } from '../../ui/notice.js';

const number = (value: number): string => value.toLocaleString('en');

/** 'revoking 3 · confirmed 9 · waiting for device 1' */
function steps({ revoking, confirmed, waiting }: RevokeProgress): string {
  return [
    ...(revoking > 0 ? [`${number(revoking)} revoking`] : []),
    `${number(confirmed)} confirmed by the device`,
    ...(waiting > 0 ? [`${number(waiting)} waiting for a device that is offline`] : []),
  ].join(' · ');
}

/** How far the revoke of several sessions has come, until it is closed. Told to screen readers as it changes. */
export function RevokeProgressBar({
  run,
  onClose,
}: {
  readonly run: RevokeRun;
  readonly onClose: () => void;
}): ReactElement {
  const progress = useSyncExternalStore(run.subscribe, run.current);
  const { total, confirmed, revoking, waiting, isSending, error } = progress;
  const isDone = !isSending && revoking === 0;
  const variant = error !== undefined ? 'danger' : !isDone ? 'info' : waiting > 0 ? 'warning' : 'success';
  const title =
    error !== undefined
      ? `The revoke stopped after ${number(revoking + confirmed + waiting)} of ${number(total)} sessions`
      : isDone
        ? `Revoked ${number(total)} ${total === 1 ? 'session' : 'sessions'}`
        : `Revoking ${number(total)} ${total === 1 ? 'session' : 'sessions'}`;
  return (
    <Notice
      variant={variant}
      isLiveRegion
      title={title}
      {...(isDone || error !== undefined
        ? { actionClose: <AlertActionCloseButton title={title} onClose={onClose} /> }
        : {})}
    >
      {error === undefined ? null : <p>{errorSentence(error)}</p>}
      {total === 0 && !isSending ? <p>Nothing was left that could be revoked.</p> : <p>{steps(progress)}</p>}
      {isDone || error !== undefined ? null : (
        <Progress
          aria-label="Revoke confirmed"
          size="sm"
          value={total === 0 ? 0 : Math.round((100 * confirmed) / total)}
          measureLocation="outside"
        />
      )}
    </Notice>
  );
}
