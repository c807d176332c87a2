import type { SessionKind } from '@curfew/shared/browser';
import { AlertActionCloseButton, Progress } from '@patternfly/react-core';
import { useSyncExternalStore, type ReactElement } from 'react';
import { errorSentence } from '../../api/api-error.js';
import type { RevokeProgress, RevokeRun } from './revoke-run.js';
import { Notice } from '../../ui/notice.js';

const number = (value: number): string => value.toLocaleString('en');

/** Who confirms, and what is waited for. */
const SPOKEN_OF: Readonly<Record<SessionKind, readonly [by: string, waitsFor: string]>> = {
  device_admin: ['device', 'a device that is offline'],
  timed_access: ['resource', 'a resource that does not answer'],
};

/** '2 revoking · 9 confirmed by the device · 1 waiting for a device that is offline' */
function steps({ asked, revoking, confirmed, waiting, unknown }: RevokeProgress, kind: SessionKind): string {
  const [by, for_] = SPOKEN_OF[kind];
  return [
    ...(asked > 0 ? [`${number(asked)} sent`] : []),
    ...(revoking > 0 ? [`${number(revoking)} revoking`] : []),
    `${number(confirmed)} confirmed by the ${by}`,
    ...(waiting > 0 ? [`${number(waiting)} waiting for ${for_}`] : []),
    ...(unknown > 0 ? [`${number(unknown)} may be revoked or not: the answer was lost`] : []),
  ].join(' · ');
}

/** How far the revoke of several sessions has come, until it is closed. Told to screen readers as it changes. */
export function RevokeProgressBar({
  run,
  kind,
  onClose,
}: {
  readonly run: RevokeRun;
  readonly kind: SessionKind;
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
      {...(isSending ? {} : { actionClose: <AlertActionCloseButton title={title} onClose={onClose} /> })}
    >
      {error === undefined ? null : <p>{errorSentence(error)}</p>}
      {total === 0 && !isSending ? <p>Nothing was left that could be revoked.</p> : <p>{steps(progress, kind)}</p>}
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
