import { Card, CardBody, CardTitle, Content } from '@patternfly/react-core';
import { useState, type ReactElement } from 'react';
import { useApiMutation, useApiQuery } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import { useRefusal } from '../../auth/use-auth.js';
import { timeFromProto } from '../../model/proto-json.js';
import { FactList } from '../../ui/fact-list.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { Notice } from '../../ui/notice.js';
import { ErrorView, LoadingView } from '../../ui/states.js';
import { Moment } from '../../ui/times.js';

/** The server itself, and the keys that it signs leases with. */
export function ServerTab(): ReactElement {
  const answer = useApiQuery('ServerService/GetServerInfo', {}, { refetchIntervalMs: 10_000 });
  const refusal = useRefusal('ServerService/RotateLeaseKeys');
  const [isRotating, setRotating] = useState(false);
  if (answer.error !== null)
    return (
      <ErrorView title="The server could not be asked" error={answer.error} onRetry={() => void answer.refetch()} />
    );
  if (answer.isPending) return <LoadingView what="the server" />;
  const info = answer.data;
  return (
    <div className="curfew-columns">
      <Card isCompact>
        <CardTitle component="h2">Server</CardTitle>
        <CardBody className="curfew-stack">
          {info.rolledBack === true ? (
            <Notice variant="danger" title="The ledger was rolled back: nothing is granted">
              Run <code>curfew-server recover</code> on the server.
            </Notice>
          ) : null}
          <FactList
            facts={[
              ['Version', info.version],
              ['Runs since', <Moment key="since" at={timeFromProto(info.startTime)} />],
              ['Devices linked', String(info.linkedDevices ?? 0)],
              ['Incarnation', info.incarnation ?? '0'],
              ['CA fingerprint', <code key="ca">{info.caFingerprint}</code>],
            ]}
          />
        </CardBody>
      </Card>
      <Card isCompact>
        <CardTitle component="h2">Lease keys</CardTitle>
        <CardBody className="curfew-stack">
          <FactList facts={[['Key set', `version ${info.leaseKeySetVersion ?? '0'}`]]} />
          <span className="curfew-subtle">
            Every right is signed with them. A new key is vouched for by the old one; live sessions go on.
          </span>
          <div>
            <GuardedButton variant="secondary" refusal={refusal} onClick={() => setRotating(true)}>
              Make a new key…
            </GuardedButton>
          </div>
        </CardBody>
      </Card>
      {isRotating ? <RotateDialog onClose={() => setRotating(false)} /> : null}
    </div>
  );
}

function RotateDialog({ onClose }: { readonly onClose: () => void }): ReactElement {
  const { toasts } = useServices();
  const rotate = useApiMutation('ServerService/RotateLeaseKeys', {
    quiet: true,
    refreshes: ['ServerService/GetServerInfo'],
    onDone: ({ leaseKeySetVersion = '', sentTo = 0 }) => {
      toasts.show(
        'success',
        `Key set ${leaseKeySetVersion} holds`,
        `Sent to ${sentTo} devices; the others get it when they are back.`,
      );
      onClose();
    },
  });
  return (
    <FormDialog
      title="Make a new lease key?"
      submitLabel="Make a new key"
      errorTitle="No key was made"
      error={rotate.error}
      isBusy={rotate.isPending}
      onClose={onClose}
      onSubmit={() => rotate.mutate({})}
    >
      <Content component="p">
        Devices that are linked get it at once, the others when they are back. Nobody loses a right by it.
      </Content>
    </FormDialog>
  );
}
