import '../../ui/pages.css';
import { Notice } from '../../ui/notice.js';
import { Card, CardBody, CardTitle, Label, PageSection } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { getRouteApi } from '@tanstack/react-router';
import { useState, type ReactElement } from 'react';
import { useApiQuery } from '../../api/use-api.js';
import { useRefusal } from '../../auth/use-auth.js';
import type { DeviceJson } from '../../gen/api.js';
import { useRefreshOn } from '../../live/use-refresh-on.js';
import { PLATFORM_NAMES, platformFromProto } from '../../model/platform.js';
import { updateText } from '../../model/update.js';
import { timeFromProto } from '../../model/proto-json.js';
import { FactList } from '../../ui/fact-list.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { SafeText } from '../../ui/safe-text.js';
import { SessionsCard } from '../../ui/sessions-card.js';
import { ThingHeader, ThingUnknown } from '../../ui/thing-page.js';
import { Ago, Moment } from '../../ui/times.js';
import { RemoveDeviceDialog, ResolveConflictDialog } from './device-dialogs.js';
import { DeviceState, isInConflict, isRemoved } from './device-state.js';
import { LabelsCard } from './labels-card.js';
import { ReEnrolDialog } from './re-enrol-dialog.js';

const route = getRouteApi('/devices/$deviceId');

const KIND = { name: 'Device', listName: 'Devices', listPath: '/devices' } as const;

/** Changes are followed; this is for what nobody has told. */
const SLOW_MS = 60_000;

/** One managed machine: how it stands, who is on it, and who has or had rights there. */
export function DevicePage(): ReactElement {
  const { deviceId } = route.useParams();
  const answer = useApiQuery('DeviceService/GetDevice', { device: deviceId }, { refetchIntervalMs: SLOW_MS });
  const id = answer.data?.device?.id;
  useRefreshOn(
    {
      method: 'DeviceService/WatchDevices',
      request: { changesOnly: true },
      concerns: ({ device }) => device?.id === id,
    },
    'DeviceService/GetDevice',
  );
  const device = answer.data?.device;
  if (device === undefined)
    return <ThingUnknown kind={KIND} error={answer.error} onRetry={() => void answer.refetch()} />;
  return <DeviceView device={device} />;
}

function DeviceView({ device }: { readonly device: DeviceJson }): ReactElement {
  const [isRemoving, setRemoving] = useState(false);
  const [isResolving, setResolving] = useState(false);
  const [isEnrolling, setEnrolling] = useState(false);
  const tokenRefusal = useRefusal('DeviceService/CreateJoinToken');
  const removeRefusal = useRefusal('DeviceService/RemoveDevice');
  const resolveRefusal = useRefusal('DeviceService/ResolveIdentityConflict');
  return (
    <>
      <ThingHeader
        kind={KIND}
        title={device.name ?? ''}
        description={<DeviceState device={device} />}
        actions={
          <span className="curfew-buttons">
            {isInConflict(device) ? (
              <GuardedButton refusal={resolveRefusal} onClick={() => setResolving(true)}>
                Resolve the conflict…
              </GuardedButton>
            ) : null}
            <GuardedButton
              variant="secondary"
              refusal={tokenRefusal ?? (isRemoved(device) ? 'It was removed: enrol it as a new device.' : undefined)}
              onClick={() => setEnrolling(true)}
            >
              Re-enrol…
            </GuardedButton>
            <GuardedButton
              variant="secondary"
              isDanger
              refusal={removeRefusal ?? (isRemoved(device) ? 'It is removed already.' : undefined)}
              onClick={() => setRemoving(true)}
            >
              Remove…
            </GuardedButton>
          </span>
        }
      />
      <PageSection hasBodyWrapper={false}>
        <div className="curfew-stack">
          <Findings device={device} />
          <div className="curfew-columns">
            <FactsCard device={device} />
            <div className="curfew-stack">
              <LabelsCard device={device} />
              <AccountsCard device={device} />
            </div>
          </div>
          <SessionsCard filter={{ device: device.id ?? '' }} hides="device" />
        </div>
      </PageSection>
      {isEnrolling ? <ReEnrolDialog device={device} onClose={() => setEnrolling(false)} /> : null}
      {isRemoving ? <RemoveDeviceDialog device={device} onClose={() => setRemoving(false)} /> : null}
      {isResolving ? <ResolveConflictDialog device={device} onClose={() => setResolving(false)} /> : null}
    </>
  );
}

function Findings({ device }: { readonly device: DeviceJson }): ReactElement | null {
  const findings = device.findings ?? [];
  if (findings.length === 0 && !isInConflict(device)) return null;
  return (
    <>
      {isInConflict(device) ? (
        <Notice variant="danger" title="Two agents use the identity of this device">
          No right is given here until somebody has found the second one and resolved this.
        </Notice>
      ) : null}
      {findings.map((finding) => (
        <Notice key={finding} variant="warning" title={<SafeText text={finding} />} />
      ))}
    </>
  );
}

const yesNo = (value: boolean | undefined): string => (value === true ? 'yes' : 'no');

function FactsCard({ device }: { readonly device: DeviceJson }): ReactElement {
  const { facts = {} } = device;
  const platform = platformFromProto(facts.platform);
  const text = (value: string | undefined): ReactElement | undefined =>
    value === undefined || value === '' ? undefined : <SafeText text={value} />;
  const isBehind = (device.generation ?? '0') !== (device.appliedGeneration ?? '0');
  return (
    <Card isCompact>
      <CardTitle component="h2">Facts</CardTitle>
      <CardBody>
        <FactList
          facts={[
            ['Host name', text(facts.hostname)],
            ['Platform', platform === undefined ? 'unknown' : PLATFORM_NAMES[platform]],
            ['Release', text(facts.osRelease)],
            ['Kernel', text(facts.kernel)],
            ['Architecture', text(facts.architecture)],
            ['Model', text(facts.model)],
            ['Agent', text(facts.agentVersion)],
            ['Update', text(updateText(device.update))],
            ['sudo', text(facts.sudoVersion)],
            ['sudo ends rights', facts.platform === 'PLATFORM_WINDOWS' ? undefined : yesNo(facts.sudoEnforcesEnd)],
            ['Remover', text(facts.independentRemover)],
            ['Last seen', <Ago key="seen" at={timeFromProto(device.lastSeenTime)} />],
            ['Enrolled', <Moment key="enrolled" at={timeFromProto(device.enrolledTime)} />],
            [
              'Enrolled anew',
              device.reEnrolledTime === undefined ? undefined : <Moment at={timeFromProto(device.reEnrolledTime)} />,
            ],
            [
              'Removed',
              device.removedTime === undefined ? undefined : <Moment at={timeFromProto(device.removedTime)} />,
            ],
            [
              'Desired state',
              `generation ${device.generation ?? '0'}, ${isBehind ? `the device is at ${device.appliedGeneration ?? '0'}` : 'applied'}`,
            ],
            ['Hardware id', text(facts.hardwareId)],
            ['Id', <code key="id">{device.id}</code>],
          ]}
        />
      </CardBody>
    </Card>
  );
}

function AccountsCard({ device }: { readonly device: DeviceJson }): ReactElement {
  const accounts = device.accounts ?? [];
  return (
    <Card isCompact>
      <CardTitle component="h2">Accounts</CardTitle>
      <CardBody>
        {accounts.length === 0 ? (
          <span className="curfew-subtle">The agent has not reported any yet.</span>
        ) : (
          <Table variant="compact" aria-label="Accounts" borders={false}>
            <Thead>
              <Tr>
                <Th>Account</Th>
                <Th>uid or SID</Th>
                <Th width={50}>Notes</Th>
              </Tr>
            </Thead>
            <Tbody>
              {accounts.map((account) => (
                <Tr key={`${account.name ?? ''}/${account.uid ?? account.sid ?? ''}`}>
                  <Td dataLabel="Account" modifier="breakWord">
                    <SafeText text={account.name ?? ''} />
                  </Td>
                  <Td dataLabel="uid or SID" modifier="breakWord">
                    <SafeText text={account.uid === undefined ? (account.sid ?? '') : String(account.uid)} />
                  </Td>
                  <Td dataLabel="Notes" modifier="breakWord">
                    {account.standingAdmin === true ? (
                      <Label color="orange" isCompact>
                        standing admin
                      </Label>
                    ) : null}
                    {(account.ineligibleReason ?? '') === '' ? null : (
                      <div className="curfew-detail">
                        no sessions: <SafeText text={account.ineligibleReason ?? ''} />
                      </div>
                    )}
                  </Td>
                </Tr>
              ))}
            </Tbody>
          </Table>
        )}
      </CardBody>
    </Card>
  );
}
