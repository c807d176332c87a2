import { Button, ExpandableSection } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState, type ReactElement } from 'react';
import { requestTarget } from '../../model/request.js';
import { durationText } from '../../model/time-text.js';
import { RequestStateLabel } from '../../ui/request-state-label.js';
import { SafeText } from '../../ui/safe-text.js';
import { Moment } from '../../ui/times.js';
import { SessionStateLabel } from '../sessions/session-state-label.js';
import type { PastThing } from './my-access.js';

const STEP = 20;

/** What there was: sessions, and requests that came to none. Newest first. */
export function PastList({ past }: { readonly past: readonly PastThing[] }): ReactElement | null {
  const [isOpen, setOpen] = useState(false);
  const [most, setMost] = useState(STEP);
  if (past.length === 0) return null;
  return (
    <ExpandableSection
      toggleText={`History (${past.length})`}
      isExpanded={isOpen}
      onToggle={(_event, open) => setOpen(open)}
    >
      <Table variant="compact" aria-label="History">
        <Thead>
          <Tr>
            <Th>When</Th>
            <Th>What</Th>
            <Th>For</Th>
            <Th width={40}>Why</Th>
            <Th>State</Th>
          </Tr>
        </Thead>
        <Tbody>{past.slice(0, most).map((thing) => pastRow(thing))}</Tbody>
      </Table>
      {past.length > most ? (
        <Button variant="link" onClick={() => setMost(most + STEP)}>
          Show more
        </Button>
      ) : null}
    </ExpandableSection>
  );
}

function pastRow(thing: PastThing): ReactElement {
  const isSession = thing.kind === 'session';
  const [id, name, reason, duration] = isSession
    ? [
        thing.session.id,
        thing.session.deviceName || thing.session.resourceName,
        thing.session.reason,
        thing.session.duration ?? 0,
      ]
    : [thing.request.id, requestTarget(thing.request), thing.request.reason, thing.request.duration];
  return (
    <Tr key={id}>
      <Td dataLabel="When" modifier="nowrap">
        <Moment at={thing.at} />
      </Td>
      <Td dataLabel="What" modifier="breakWord">
        <SafeText text={name} />
      </Td>
      <Td dataLabel="For" modifier="nowrap">
        {durationText(duration)}
      </Td>
      <Td dataLabel="Why" modifier="breakWord">
        <SafeText text={reason} />
      </Td>
      <Td dataLabel="State" modifier="breakWord">
        {isSession ? (
          <SessionStateLabel session={thing.session} />
        ) : (
          <>
            <RequestStateLabel state={thing.request.state} />
            {thing.request.decisionReason === '' ? null : (
              <div className="curfew-detail">
                <SafeText text={thing.request.decidedBy} />: “<SafeText text={thing.request.decisionReason} />”
              </div>
            )}
          </>
        )}
      </Td>
    </Tr>
  );
}
