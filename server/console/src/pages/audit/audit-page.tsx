import '../../ui/pages.css';
import { safeText } from '@curfew/shared/browser';
import { Button, PageSection } from '@patternfly/react-core';
import { ExpandableRowContent, Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { Link } from '@tanstack/react-router';
import { useState, type ReactElement } from 'react';
import { errorSentence } from '../../api/api-error.js';
import { useApiQuery } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import { useRefusal } from '../../auth/use-auth.js';
import { downloadText } from '../../export/download.js';
import type { AuditEventJson } from '../../gen/api.js';
import { timeFromProto } from '../../model/proto-json.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { DeviceLink, ResourceLink, UserLink } from '../../ui/links.js';
import { PageHeader } from '../../ui/page-header.js';
import { Pager, usePages } from '../../ui/pager.js';
import { SafeText } from '../../ui/safe-text.js';
import { EmptyView, ErrorView, LoadingView } from '../../ui/states.js';
import { Moment } from '../../ui/times.js';
import { useAddress } from '../../ui/use-address.js';
import { recordText } from './event-record.js';
import { AuditFilters } from './audit-filters.js';
import { eventLine, sealLine } from './export-lines.js';
import { readLog } from './read-log.js';
import { VerifyDialog } from './verify-dialog.js';

const PAGE_SIZE = 50;

/** What happened: every change, who made it, and the proof that nothing of it was altered. */
export function AuditPage(): ReactElement {
  const [isVerifying, setVerifying] = useState(false);
  const refusal = useRefusal('AuditService/ExportAuditLog');
  return (
    <>
      <PageHeader
        title="Audit"
        description="Every change, in a log that cannot be altered unseen."
        actions={
          <span className="curfew-buttons">
            <GuardedButton refusal={refusal} onClick={() => setVerifying(true)}>
              Verify…
            </GuardedButton>
            <ExportButton refusal={refusal} />
          </span>
        }
      />
      <PageSection hasBodyWrapper={false}>
        <div className="curfew-stack">
          <AuditFilters />
          <EventList />
        </div>
      </PageSection>
      {isVerifying ? <VerifyDialog onClose={() => setVerifying(false)} /> : null}
    </>
  );
}

/** Writes the whole log to a file that `curfewctl audit verify` checks. */
function ExportButton({ refusal }: { readonly refusal: string | undefined }): ReactElement {
  const { api, toasts } = useServices();
  const [isBusy, setBusy] = useState(false);
  const save = async (): Promise<void> => {
    setBusy(true);
    const parts: string[] = [];
    let count = 0;
    try {
      const { note, key } = await readLog(api, new AbortController().signal, (records) => {
        count += records.length;
        parts.push(records.map(({ index, record }) => eventLine(index, record)).join(''));
      });
      downloadText('curfew-audit.jsonl', 'application/jsonl', `${parts.join('')}${sealLine(note, key)}`);
      toasts.show('success', `${count.toLocaleString('en')} records saved`, 'Check them with: curfewctl audit verify');
    } catch (error) {
      toasts.show('danger', 'Nothing was saved', errorSentence(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <GuardedButton
      variant="secondary"
      refusal={refusal}
      isLoading={isBusy}
      isDisabled={isBusy}
      onClick={() => void save()}
    >
      Export
    </GuardedButton>
  );
}

function EventList(): ReactElement {
  const [address, change] = useAddress();
  const { type = '', actor = '', subject = '' } = address;
  const pages = usePages([type, actor, subject]);
  const answer = useApiQuery(
    'AuditService/ListAuditEvents',
    {
      typePrefix: type,
      actor,
      subject,
      pageSize: PAGE_SIZE,
      ...(pages.token === '' ? {} : { pageToken: pages.token }),
    },
    { keepPrevious: true, refetchIntervalMs: 5_000 },
  );
  const events = answer.data?.events ?? [];
  if (answer.error !== null)
    return (
      <ErrorView title="The audit log could not be loaded" error={answer.error} onRetry={() => void answer.refetch()} />
    );
  if (answer.isPending) return <LoadingView what="the audit log" />;
  if (events.length === 0 && pages.number === 1)
    return (
      <EmptyView
        title="No such event"
        actions={
          <Button variant="link" onClick={() => change({ type: undefined, actor: undefined, subject: undefined })}>
            Show everything
          </Button>
        }
      >
        An actor is written in full, such as user:alice, device:web-1 or server; a subject is a whole id.
      </EmptyView>
    );
  return (
    <>
      <EventTable events={events} />
      <Pager
        pages={pages}
        pageSize={PAGE_SIZE}
        shown={events.length}
        nextToken={answer.data.nextPageToken}
        what="events"
      />
    </>
  );
}

function EventTable({ events }: { readonly events: readonly AuditEventJson[] }): ReactElement {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (index: string): void => {
    const next = new Set(open);
    if (!next.delete(index)) next.add(index);
    setOpen(next);
  };
  return (
    <Table variant="compact" aria-label="Audit events" isExpandable>
      <Thead>
        <Tr>
          <Th screenReaderText="Details" />
          <Th modifier="nowrap">Number</Th>
          <Th modifier="nowrap">When</Th>
          <Th modifier="nowrap">What</Th>
          <Th modifier="nowrap">Who</Th>
          <Th modifier="nowrap">To what</Th>
        </Tr>
      </Thead>
      {events.map((event, rowIndex) => {
        const index = event.index ?? '0';
        const isExpanded = open.has(index);
        return (
          <Tbody key={index} isExpanded={isExpanded}>
            <Tr>
              <Td
                expand={{
                  rowIndex,
                  isExpanded,
                  onToggle: () => toggle(index),
                  expandId: 'audit-event-',
                }}
              />
              <Td dataLabel="Number">{index}</Td>
              <Td dataLabel="When" modifier="nowrap">
                <Moment at={timeFromProto(event.time)} />
              </Td>
              <Td dataLabel="What" modifier="breakWord">
                <code>{event.type}</code>
              </Td>
              <Td dataLabel="Who" modifier="breakWord">
                <SafeText text={event.actor ?? ''} />
              </Td>
              <Td dataLabel="To what" modifier="breakWord">
                <Subject id={event.subject ?? ''} />
              </Td>
            </Tr>
            {isExpanded ? (
              <Tr isExpanded>
                <Td colSpan={6} noPadding>
                  <ExpandableRowContent>
                    <Record event={event} />
                  </ExpandableRowContent>
                </Td>
              </Tr>
            ) : null}
          </Tbody>
        );
      })}
    </Table>
  );
}

/** The exact record, as it is hashed into the log. */
const Record = ({ event }: { readonly event: AuditEventJson }): ReactElement => (
  <pre className="curfew-pre" tabIndex={0}>
    {recordText(event.record)
      .split('\n')
      .map((line) => safeText(line))
      .join('\n')}
  </pre>
);

/** What an event happened to: leads there where there is a page for it. */
function Subject({ id }: { readonly id: string }): ReactElement {
  if (id.startsWith('dev-')) return <DeviceLink id={id} name={id} />;
  if (id.startsWith('usr-')) return <UserLink id={id} name={id} />;
  if (id.startsWith('res-')) return <ResourceLink id={id} name={id} />;
  if (id.startsWith('ses-'))
    return (
      <Link to="/sessions" search={{ session: id }}>
        {id}
      </Link>
    );
  if (id.startsWith('req-'))
    return (
      <Link to="/requests/$requestId" params={{ requestId: id }}>
        {id}
      </Link>
    );
  return <SafeText text={id} />;
}
