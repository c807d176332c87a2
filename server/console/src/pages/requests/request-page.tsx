import './requests.css';
import '../../ui/pages.css';
import { Notice } from '../../ui/notice.js';
import {
  Card,
  CardBody,
  CardTitle,
  Label,
  PageSection,
  ProgressStep,
  ProgressStepper,
  type ProgressStepProps,
} from '@patternfly/react-core';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState, type ReactElement } from 'react';
import { useApiQuery } from '../../api/use-api.js';
import { useSignedIn } from '../../auth/use-auth.js';
import { grantText } from '../../model/grant.js';
import { requestFromProto, requestTarget, type RequestView } from '../../model/request.js';
import { sessionFromProto } from '../../model/session.js';
import { durationText } from '../../model/time-text.js';
import { FactList } from '../../ui/fact-list.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { PolicyLink, TargetLink, UserLink } from '../../ui/links.js';
import { RequestStateLabel } from '../../ui/request-state-label.js';
import { SafeText } from '../../ui/safe-text.js';
import { ThingHeader, ThingUnknown } from '../../ui/thing-page.js';
import { Moment, TimeLeft } from '../../ui/times.js';
import { useKeys } from '../../ui/use-keys.js';
import { ApproveDialog, DenyDialog, ReviewDialog } from './decide-dialog.js';
import { decideRefusal, reviewRefusal, takeBackRefusal } from './decide-refusal.js';
import { useSingleKeys } from '../../ui/key-help.js';
import { requestTimeline, type TimelineStep } from './request-timeline.js';
import { useRequestChanges } from './use-requests.js';

const route = getRouteApi('/requests/$requestId');

const KIND = { name: 'Request', listName: 'Requests', listPath: '/requests' } as const;

/** One request: what it asks for, what became of it, and what can be done. */
export function RequestPage(): ReactElement {
  const { requestId } = route.useParams();
  const answer = useApiQuery('RequestService/GetAccessRequest', { requestId }, { refetchIntervalMs: 5_000 });
  const fetched = answer.data?.request === undefined ? undefined : requestFromProto(answer.data.request);
  const changes = useRequestChanges(
    fetched?.state === 'pending' || fetched?.state === 'approved'
      ? {
          user: fetched.userId,
          states: ['ACCESS_REQUEST_STATE_PENDING', 'ACCESS_REQUEST_STATE_APPROVED'],
        }
      : undefined,
  );
  const request = (fetched === undefined ? undefined : changes.items.get(fetched.id)) ?? fetched;
  if (request === undefined)
    return <ThingUnknown kind={KIND} error={answer.error} onRetry={() => void answer.refetch()} />;
  return <RequestDetails request={request} />;
}

type Open = 'approve' | 'deny' | 'accept' | 'reject';

function RequestDetails({ request }: { readonly request: RequestView }): ReactElement {
  const { user } = useSignedIn();
  const navigate = useNavigate();
  const [open, setOpen] = useState<Open>();
  const [hasKeys] = useSingleKeys();
  const refusal = decideRefusal(user, request);
  const close = (): void => setOpen(undefined);
  useKeys(
    {
      ...(refusal === undefined ? { a: () => setOpen('approve'), d: () => setOpen('deny') } : {}),
      u: () => void navigate({ to: '/requests' }),
    },
    hasKeys,
  );
  return (
    <>
      <ThingHeader
        kind={KIND}
        title={`${request.userName}: ${requestTarget(request)}`}
        description={
          <span className="curfew-buttons">
            <RequestStateLabel state={request.state} />
            {request.breakGlass ? (
              <Label color="orange" isCompact>
                break-glass
              </Label>
            ) : null}
            {request.state === 'pending' && request.decideByTime !== undefined ? (
              <span className="curfew-subtle">
                times out in <TimeLeft until={request.decideByTime} />
              </span>
            ) : null}
          </span>
        }
        actions={<Actions request={request} onOpen={setOpen} />}
      />
      <PageSection hasBodyWrapper={false}>
        <div className="curfew-columns">
          <Card>
            <CardTitle component="h2">What is asked for</CardTitle>
            <CardBody>
              <RequestFacts request={request} />
            </CardBody>
          </Card>
          <Card>
            <CardTitle component="h2">What happened</CardTitle>
            <CardBody>
              <Timeline request={request} />
            </CardBody>
          </Card>
        </div>
      </PageSection>
      {open === 'approve' ? <ApproveDialog request={request} onClose={close} /> : null}
      {open === 'deny' ? <DenyDialog request={request} onClose={close} /> : null}
      {open === 'accept' || open === 'reject' ? (
        <ReviewDialog request={request} accepts={open === 'accept'} onClose={close} />
      ) : null}
    </>
  );
}

interface ActionsProps {
  readonly request: RequestView;
  readonly onOpen: (what: Open) => void;
}

function Actions({ request, onOpen }: ActionsProps): ReactElement | null {
  const { user } = useSignedIn();
  if (request.state === 'pending') {
    const refusal = decideRefusal(user, request);
    return (
      <span className="curfew-buttons">
        <GuardedButton refusal={refusal} onClick={() => onOpen('approve')}>
          Approve
        </GuardedButton>
        <GuardedButton variant="secondary" isDanger refusal={refusal} onClick={() => onOpen('deny')}>
          Deny
        </GuardedButton>
      </span>
    );
  }
  const takesBack =
    request.state === 'approved' ? (
      <GuardedButton variant="secondary" isDanger refusal={takeBackRefusal(user)} onClick={() => onOpen('deny')}>
        Take back
      </GuardedButton>
    ) : null;
  if (request.review?.state !== 'waiting') return takesBack;
  const refusal = reviewRefusal(user, request);
  return (
    <span className="curfew-buttons">
      <GuardedButton refusal={refusal} onClick={() => onOpen('accept')}>
        It was right
      </GuardedButton>
      <GuardedButton variant="secondary" isDanger refusal={refusal} onClick={() => onOpen('reject')}>
        It was wrong
      </GuardedButton>
      {takesBack}
    </span>
  );
}

function RequestFacts({ request }: { readonly request: RequestView }): ReactElement {
  return (
    <>
      {request.freshSignInRequired ? (
        <Notice variant="info" isPlain title="Starting it needs a fresh sign-in by the person." />
      ) : null}
      <FactList
        facts={[
          ['User', <UserLink key="user" id={request.userId} name={request.userName} />],
          [request.deviceName === '' ? 'Resource' : 'Device', <TargetLink key="target" of={request} />],
          ['Account', request.accountName === '' ? '' : <SafeText text={request.accountName} />],
          ['Right', request.deviceName === '' ? '' : grantText(request.options)],
          ['For', durationText(request.duration)],
          ['Reason', <SafeText key="reason" text={request.reason} />],
          ['Ticket', request.ticket === '' ? '' : <SafeText text={request.ticket} />],
          [
            'Policy',
            request.policyName === '' ? (
              ''
            ) : (
              <>
                <PolicyLink name={request.policyName} />, version {request.policyVersion}
              </>
            ),
          ],
          ['Start by', request.startByTime === undefined ? '' : <Moment at={request.startByTime} />],
          ['Id', <code key="id">{request.id}</code>],
          [
            'Session',
            request.sessionId === '' ? (
              ''
            ) : (
              <Link
                to="/sessions"
                search={{
                  ...(request.deviceName === '' ? { tab: 'timed-access' } : {}),
                  session: request.sessionId,
                }}
              >
                <code>{request.sessionId}</code>
              </Link>
            ),
          ],
        ]}
      />
    </>
  );
}

const VARIANTS: Readonly<Record<TimelineStep['look'], NonNullable<ProgressStepProps['variant']>>> = {
  done: 'success',
  current: 'info',
  bad: 'danger',
  waiting: 'pending',
};

const SPOKEN: Readonly<Record<TimelineStep['look'], string>> = {
  done: 'done',
  current: 'now',
  bad: 'over',
  waiting: 'to come',
};

function Timeline({ request }: { readonly request: RequestView }): ReactElement {
  const { sessionId } = request;
  const answer = useApiQuery(
    'SessionService/GetSession',
    { sessionId },
    { enabled: sessionId !== '', refetchIntervalMs: 3_000 },
  );
  const session = answer.data?.session === undefined ? undefined : sessionFromProto(answer.data.session);
  return (
    <ProgressStepper isVertical aria-label="What happened">
      {requestTimeline(request, session).map((step) => (
        <ProgressStep
          key={step.id}
          id={step.id}
          titleId={`${step.id}-title`}
          variant={VARIANTS[step.look]}
          isCurrent={step.look === 'current'}
          aria-label={SPOKEN[step.look]}
          description={
            <>
              {step.who === '' ? null : (
                <>
                  <SafeText text={step.who} />,{' '}
                </>
              )}
              <Moment at={step.at} />
              {step.text === '' ? null : (
                <span className="curfew-quote">
                  <SafeText text={step.text} />
                </span>
              )}
            </>
          }
        >
          {step.title}
        </ProgressStep>
      ))}
    </ProgressStepper>
  );
}
