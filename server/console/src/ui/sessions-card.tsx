import { SESSION_STATES } from '@curfew/shared/browser';
import { Card, CardBody, CardTitle } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { useApiQuery } from '../api/use-api.js';
import type { SessionFilterJson } from '../gen/api.js';
import { useRefreshOn } from '../live/use-refresh-on.js';
import { sessionFromProto, sessionStateToProto, type SessionView } from '../model/session.js';
import { durationText } from '../model/time-text.js';
import { SessionStateLabel } from '../pages/sessions/session-state-label.js';
import { TargetLink, UserLink } from './links.js';
import { Pager, usePages } from './pager.js';
import { SafeText } from './safe-text.js';
import { ErrorView, LoadingView } from './states.js';
import { Moment, TimeLeft } from './times.js';

const PAGE_SIZE = 20;

export interface SessionsCardProps {
  /** Of whom or of what. Every state is shown. */
  readonly filter: SessionFilterJson;
  /** What every row would have in common. */
  readonly hides: 'device' | 'user' | 'resource';
}

const ID_OF = { device: 'deviceId', user: 'userId', resource: 'resourceId' } as const;

/** Sessions of one device, one resource or one person, now and before, newest first. */
export function SessionsCard({ filter, hides }: SessionsCardProps): ReactElement {
  const pages = usePages(filter);
  const answer = useApiQuery(
    'SessionService/ListSessions',
    {
      filter: { ...filter, states: SESSION_STATES.map(sessionStateToProto) },
      orderBy: 'create_time desc',
      pageSize: PAGE_SIZE,
      ...(pages.token === '' ? {} : { pageToken: pages.token }),
    },
    { keepPrevious: true },
  );
  useRefreshOn(
    {
      method: 'SessionService/WatchSessions',
      request: { changesOnly: true },
      concerns: ({ session }) => session?.[ID_OF[hides]] === filter[hides],
    },
    'SessionService/ListSessions',
  );
  const sessions = (answer.data?.sessions ?? []).map(sessionFromProto);
  return (
    <Card isCompact>
      <CardTitle component="h2">Sessions</CardTitle>
      <CardBody>
        {answer.error !== null ? (
          <ErrorView
            title="The sessions could not be loaded"
            error={answer.error}
            onRetry={() => void answer.refetch()}
          />
        ) : answer.isPending ? (
          <LoadingView what="sessions" />
        ) : sessions.length === 0 ? (
          <span className="curfew-subtle">None, now or before.</span>
        ) : (
          <>
            <SessionRows sessions={sessions} hides={hides} />
            <Pager
              pages={pages}
              pageSize={PAGE_SIZE}
              shown={sessions.length}
              total={answer.data.totalSize}
              nextToken={answer.data.nextPageToken}
              what="sessions"
            />
          </>
        )}
      </CardBody>
    </Card>
  );
}

interface SessionRowsProps {
  readonly sessions: readonly SessionView[];
  readonly hides: SessionsCardProps['hides'];
}

function SessionRows({ sessions, hides }: SessionRowsProps): ReactElement {
  return (
    <Table variant="compact" aria-label="Sessions" gridBreakPoint="grid-lg" borders={false}>
      <Thead>
        <Tr>
          <Th modifier="nowrap">Began</Th>
          <Th modifier="nowrap" width={15}>
            {hides === 'user' ? 'Device or resource' : 'User'}
          </Th>
          <Th modifier="nowrap">For</Th>
          <Th modifier="nowrap">Left</Th>
          <Th width={30}>Reason</Th>
          <Th modifier="nowrap">State</Th>
          <Th screenReaderText="Request" />
        </Tr>
      </Thead>
      <Tbody>
        {sessions.map((session) => (
          <Tr key={session.id}>
            <Td dataLabel="Began" modifier="nowrap">
              <Moment at={session.createTime} />
            </Td>
            <Td dataLabel={hides === 'user' ? 'Device or resource' : 'User'} modifier="breakWord">
              {hides !== 'user' ? (
                <UserLink id={session.userId} name={session.userName} />
              ) : (
                <TargetLink of={session} />
              )}
            </Td>
            <Td dataLabel="For" modifier="nowrap">
              {session.duration === undefined ? '' : durationText(session.duration)}
            </Td>
            <Td dataLabel="Left" modifier="nowrap">
              {session.state === 'active' || session.state === 'starting' ? (
                <TimeLeft until={session.expireTime} />
              ) : (
                '–'
              )}
            </Td>
            <Td dataLabel="Reason" modifier="breakWord">
              <SafeText text={session.reason} />
            </Td>
            <Td dataLabel="State">
              <SessionStateLabel session={session} />
            </Td>
            <Td dataLabel="Request">
              {session.requestId === '' ? null : (
                <Link to="/requests/$requestId" params={{ requestId: session.requestId }}>
                  Request
                </Link>
              )}
            </Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}
