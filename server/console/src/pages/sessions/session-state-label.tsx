import { CheckCircleIcon } from '@patternfly/react-icons/dist/esm/icons/check-circle-icon.js';
import { KeyIcon } from '@patternfly/react-icons/dist/esm/icons/key-icon.js';
import { PendingIcon } from '@patternfly/react-icons/dist/esm/icons/pending-icon.js';
import { UnlinkIcon } from '@patternfly/react-icons/dist/esm/icons/unlink-icon.js';
import type { ReactElement } from 'react';
import { useServices } from '../../app/services.js';
import type { SessionView } from '../../model/session.js';
import { CompactLabel, type CompactLabelProps } from '../../ui/compact-label.js';
import { sessionStatus, type SessionStatus } from './session-status.js';

const LOOKS: Readonly<Record<SessionStatus['look'], Pick<CompactLabelProps, 'color' | 'icon'>>> = {
  good: { color: 'green', icon: <KeyIcon set="default" /> },
  busy: { color: 'blue', icon: <PendingIcon set="default" /> },
  waiting: { color: 'orange', icon: <UnlinkIcon set="default" /> },
  over: { color: 'grey', icon: <CheckCircleIcon set="default" /> },
};

/** How a session stands: 'active', 'revoking', 'revoking · waiting for device, offline since 14:03', 'revoked · confirmed'. */
export function SessionStateLabel({ session }: { readonly session: SessionView }): ReactElement {
  const { serverClock } = useServices();
  const { text, detail, look } = sessionStatus(session, serverClock.now());
  return (
    <>
      <CompactLabel {...LOOKS[look]}>{text}</CompactLabel>
      {detail === '' ? null : <div className="curfew-detail">{detail}</div>}
    </>
  );
}
