import { Card, CardBody, CardHeader, CardTitle, Label } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { Link } from '@tanstack/react-router';
import { useState, type ReactElement } from 'react';
import { errorSentence } from '../../api/api-error.js';
import { useApiMutation } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import { useRefusal } from '../../auth/use-auth.js';
import type { DriftKindJson, ResourceDriftJson, ResourceJson } from '../../gen/api.js';
import { timeFromProto } from '../../model/proto-json.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { Notice } from '../../ui/notice.js';
import { SafeText } from '../../ui/safe-text.js';
import { Ago, Moment } from '../../ui/times.js';
import { DriftDialog, SETTLEMENTS, type Settlement } from './drift-dialog.js';
import { RESOURCE_REFRESHES } from './use-resources.js';

/** What each kind of difference is called, and what it means. */
const KINDS: Readonly<Record<DriftKindJson, readonly [name: string, text: string]>> = {
  DRIFT_KIND_UNSPECIFIED: ['different', ''],
  DRIFT_KIND_REMOVED_BY_HAND: [
    'removed by hand',
    'Somebody has taken away what a session gave, so the session has ended.',
  ],
  DRIFT_KIND_ADDED_BY_HAND: ['added by hand', 'Somebody was given it, not by Curfew.'],
  DRIFT_KIND_BACK_AFTER_END: ['back after the end', 'The session has ended; somebody has given it again by hand.'],
};

/** Where the resource and the ledger differ, and a look at it now. */
export function DriftCard({ resource }: { readonly resource: ResourceJson }): ReactElement {
  const { toasts } = useServices();
  const refusal = useRefusal('ResourceService/CompareResource');
  const compare = useApiMutation('ResourceService/CompareResource', {
    quiet: true,
    refreshes: RESOURCE_REFRESHES,
    onDone: (answer) => {
      const found = (answer.resource?.drift ?? []).length;
      toasts.show(
        found === 0 ? 'success' : 'warning',
        found === 0 ? 'Ledger and resource agree' : found === 1 ? 'One difference' : `${found} differences`,
      );
    },
  });
  const drift = resource.drift ?? [];
  return (
    <Card isCompact>
      <CardHeader
        actions={{
          actions: (
            <GuardedButton
              variant="link"
              isInline
              refusal={refusal}
              isLoading={compare.isPending}
              onClick={() => compare.mutate({ resource: resource.id ?? '' })}
            >
              Compare now
            </GuardedButton>
          ),
        }}
      >
        <CardTitle component="h2">Differences</CardTitle>
      </CardHeader>
      <CardBody className="curfew-stack">
        {compare.error === null ? null : (
          <Notice variant="danger" isLiveRegion title="It was not compared">
            {errorSentence(compare.error)}
          </Notice>
        )}
        <span className="curfew-subtle">
          {resource.comparedTime === undefined ? (
            'Ledger and resource have not been compared yet.'
          ) : (
            <>
              {drift.length === 0 ? 'Ledger and resource agreed ' : 'Compared '}
              <Ago at={timeFromProto(resource.comparedTime)} />.
            </>
          )}
        </span>
        {drift.length === 0 ? null : <DriftTable drift={drift} />}
      </CardBody>
    </Card>
  );
}

function DriftTable({ drift }: { readonly drift: readonly ResourceDriftJson[] }): ReactElement {
  const [settling, setSettling] = useState<{ readonly drift: ResourceDriftJson; readonly how: Settlement }>();
  return (
    <>
      <Table variant="compact" aria-label="Differences" borders={false} gridBreakPoint="grid-lg">
        <Thead>
          <Tr>
            <Th width={30}>What</Th>
            <Th width={30}>Who</Th>
            <Th modifier="nowrap">Seen</Th>
            <Th screenReaderText="Session" />
            <Th screenReaderText="Actions" />
          </Tr>
        </Thead>
        <Tbody>
          {drift.map((one) => (
            <DriftRow key={one.id} drift={one} onSettle={(how) => setSettling({ drift: one, how })} />
          ))}
        </Tbody>
      </Table>
      {settling === undefined ? null : <DriftDialog {...settling} onClose={() => setSettling(undefined)} />}
    </>
  );
}

function DriftRow({
  drift,
  onSettle,
}: {
  readonly drift: ResourceDriftJson;
  readonly onSettle: (how: Settlement) => void;
}): ReactElement {
  const { kind = 'DRIFT_KIND_UNSPECIFIED', subject = '', sessionId = '', seenTime } = drift;
  return (
    <Tr>
      <Td dataLabel="What">
        <Label color="orange" isCompact>
          {KINDS[kind][0]}
        </Label>
        <div className="curfew-detail">{KINDS[kind][1]}</div>
      </Td>
      <Td dataLabel="Who" modifier="breakWord">
        <SafeText text={subject} />
      </Td>
      <Td dataLabel="Seen" modifier="nowrap">
        <Moment at={timeFromProto(seenTime)} />
      </Td>
      <Td dataLabel="Session">
        {sessionId === '' ? null : (
          <Link to="/sessions" search={{ tab: 'timed-access', session: sessionId }}>
            Session
          </Link>
        )}
      </Td>
      <Td dataLabel="Actions">
        <span className="curfew-buttons">
          <SettleButton how="accept" subject={subject} onSettle={onSettle} />
          {kind === 'DRIFT_KIND_REMOVED_BY_HAND' ? (
            <SettleButton how="give-again" subject={subject} onSettle={onSettle} />
          ) : (
            <SettleButton
              how="take-away"
              subject={subject}
              onSettle={onSettle}
              unfit={
                kind === 'DRIFT_KIND_ADDED_BY_HAND' ? 'Curfew takes away only what it has given before.' : undefined
              }
            />
          )}
        </span>
      </Td>
    </Tr>
  );
}

function SettleButton({
  how,
  subject,
  unfit,
  onSettle,
}: {
  readonly how: Settlement;
  readonly subject: string;
  readonly unfit?: string | undefined;
  readonly onSettle: (how: Settlement) => void;
}): ReactElement {
  const { button, method } = SETTLEMENTS[how];
  const refusal = useRefusal(method);
  return (
    <GuardedButton
      size="sm"
      variant="secondary"
      refusal={refusal ?? unfit}
      aria-label={`${button} ${subject}`}
      onClick={() => onSettle(how)}
    >
      {button}
    </GuardedButton>
  );
}
