import './replay.css';
import '../../ui/pages.css';
import { Breadcrumb, BreadcrumbItem, Card, CardBody, CardTitle, PageSection } from '@patternfly/react-core';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { useApiQuery } from '../../api/use-api.js';
import { useRefusal } from '../../auth/use-auth.js';
import { sessionFromProto, sessionTarget, type SessionView } from '../../model/session.js';
import { Notice } from '../../ui/notice.js';
import { PageHeader } from '../../ui/page-header.js';
import { SafeText } from '../../ui/safe-text.js';
import { CommandList } from './command-list.js';
import { Replay } from './replay.js';

const route = getRouteApi('/sessions/$sessionId/recordings/$recordingId');

/** One command of a session as its terminal showed it, beside the others of the session. */
export function ReplayPage(): ReactElement {
  const { sessionId, recordingId } = route.useParams();
  const answer = useApiQuery('SessionService/GetSession', { sessionId }, { refetchIntervalMs: 10_000 });
  const session = answer.data?.session === undefined ? undefined : sessionFromProto(answer.data.session);
  const refusal = useRefusal('RecordingService/WatchRecording');
  return (
    <>
      <PageHeader
        title="Replay"
        description={session === undefined ? undefined : <SessionLine session={session} />}
        above={
          <Breadcrumb>
            <BreadcrumbItem>
              <Link to="/sessions">Active Sessions</Link>
            </BreadcrumbItem>
            <BreadcrumbItem>
              <Link to="/sessions" search={{ session: sessionId }}>
                Session
              </Link>
            </BreadcrumbItem>
            <BreadcrumbItem isActive>Replay</BreadcrumbItem>
          </Breadcrumb>
        }
      />
      <PageSection hasBodyWrapper={false}>
        <div className="curfew-replay">
          <div className="curfew-stack">
            {refusal === undefined ? (
              <Replay key={recordingId} recordingId={recordingId} />
            ) : (
              <Notice variant="info" title="You may not watch recordings">
                {refusal} What was run is listed for you all the same.
              </Notice>
            )}
          </div>
          <Card isCompact component="section" aria-label="Commands">
            <CardTitle component="h2">Commands of the session</CardTitle>
            <CardBody>
              <CommandList
                sessionId={sessionId}
                current={recordingId}
                isLive={session !== undefined && session.state !== 'ended'}
              />
            </CardBody>
          </Card>
        </div>
      </PageSection>
    </>
  );
}

function SessionLine({ session }: { readonly session: SessionView }): ReactElement {
  return (
    <>
      <SafeText text={session.userName} /> on <SafeText text={sessionTarget(session)} />
    </>
  );
}
