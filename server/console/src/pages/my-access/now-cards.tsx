import { Notice } from '../../ui/notice.js';
import { Button, Card, CardBody, CardFooter, CardTitle, Content, Label, Progress } from '@patternfly/react-core';
import { useState, type ReactElement, type ReactNode } from 'react';
import { useApiMutation } from '../../api/use-api.js';
import { errorSentence, failureTitle } from '../../api/api-error.js';
import { useServices } from '../../app/services.js';
import { FreshSignInDialog, needsFreshSignIn } from '../../auth/fresh-sign-in-dialog.js';
import { useNow } from '../../clock/use-now.js';
import { grantText } from '../../model/grant.js';
import { requestTarget, type RequestView } from '../../model/request.js';
import { sessionTarget, type SessionView } from '../../model/session.js';
import { durationText, leftText } from '../../model/time-text.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { SafeText } from '../../ui/safe-text.js';
import { Ago, TimeLeft } from '../../ui/times.js';
import { SessionStateLabel } from '../sessions/session-state-label.js';
import { canEnd } from './my-access.js';

interface NowCardProps {
  readonly name: string;
  readonly label: ReactNode;
  readonly children: ReactNode;
  readonly actions: ReactNode;
}

const NowCard = ({ name, label, children, actions }: NowCardProps): ReactElement => (
  <Card isCompact>
    <CardTitle component="h3">
      <span className="curfew-head-row">
        <SafeText text={name} />
        <span>{label}</span>
      </span>
    </CardTitle>
    <CardBody className="curfew-wrap">{children}</CardBody>
    <CardFooter className="curfew-buttons">{actions}</CardFooter>
  </Card>
);

/** A session that runs: the time that is left, and the way to end it early. */
export function SessionCard({ session }: { readonly session: SessionView }): ReactElement {
  const [isEnding, setEnding] = useState(false);
  const name = sessionTarget(session);
  return (
    <NowCard
      name={name}
      label={<SessionStateLabel session={session} />}
      actions={
        canEnd(session) ? (
          <Button variant="secondary" size="sm" onClick={() => setEnding(true)}>
            End now
          </Button>
        ) : null
      }
    >
      {session.state === 'active' ? <TimeBar session={session} /> : null}
      {session.state === 'starting' ? (
        <Content component="p">
          {session.kind === 'device_admin'
            ? 'The device is asked to give you the right.'
            : 'The resource is asked to give you the access.'}
        </Content>
      ) : null}
      {session.state === 'ending' ? <Content component="p">The right is being taken away.</Content> : null}
      <Content component="small">
        {session.kind === 'device_admin' ? (
          `${grantText(session.options)}. `
        ) : session.resourceSubject === '' ? null : (
          <>
            You are known there as <SafeText text={session.resourceSubject} />.
          </>
        )}
        {session.state === 'active' &&
        session.kind === 'device_admin' &&
        session.options?.kind !== 'GRANT_KIND_GROUP_MEMBERSHIP' ? (
          <>
            Use <code>sudo</code> there as <SafeText text={session.accountName} />.
          </>
        ) : null}
      </Content>
      {isEnding ? <EndDialog session={session} onClose={() => setEnding(false)} /> : null}
    </NowCard>
  );
}

function TimeBar({ session }: { readonly session: SessionView }): ReactElement {
  const now = useNow();
  const left = Math.max(0, (session.expireTime ?? now) - now);
  const whole = session.duration ?? left;
  const percent = whole === 0 ? 0 : Math.min(100, (100 * left) / whole);
  const isSoon = left < 300_000;
  return (
    <Progress
      aria-label="Time left"
      value={percent}
      title="Time left"
      label={leftText(left)}
      valueText={`${leftText(left)} left`}
      {...(isSoon ? { variant: 'warning' } : {})}
    />
  );
}

function EndDialog({
  session,
  onClose,
}: {
  readonly session: SessionView;
  readonly onClose: () => void;
}): ReactElement {
  const end = useApiMutation('AccessService/EndMySession', { quiet: true, onDone: onClose });
  return (
    <FormDialog
      title="End this session now?"
      submitLabel="End now"
      error={end.error}
      errorTitle="The session was not ended"
      isBusy={end.isPending}
      onClose={onClose}
      onSubmit={() => end.mutate({ sessionId: session.id })}
    >
      <Content component="p">
        You lose {session.kind === 'device_admin' ? 'the right on' : 'the access to'}{' '}
        <SafeText text={sessionTarget(session)} /> at once. For more time you have to ask again.
      </Content>
    </FormDialog>
  );
}

/** A request that was approved and can be started. */
export function StartCard({ request }: { readonly request: RequestView }): ReactElement {
  const { toasts } = useServices();
  const [isProving, setProving] = useState(false);
  const start = useApiMutation('AccessService/StartMySession', {
    quiet: true,
    onDone: () => toasts.show('success', 'The session starts'),
  });
  const run = (): void =>
    start.mutate(
      { requestId: request.id },
      {
        onError: (error) => {
          if (needsFreshSignIn(error)) setProving(true);
        },
      },
    );
  return (
    <NowCard
      name={requestTarget(request)}
      label={
        <Label color="green" isCompact>
          approved
        </Label>
      }
      actions={
        <>
          <Button size="sm" isLoading={start.isPending} isDisabled={start.isPending} onClick={run}>
            Start
          </Button>
          <CancelButton request={request} />
        </>
      }
    >
      <Content component="p">
        {durationText(request.duration)}, from the moment that you start it. Start within{' '}
        <TimeLeft until={request.startByTime} />.
      </Content>
      <Content component="small">
        {request.decidedBy === '' ? null : (
          <>
            Approved by <SafeText text={request.decidedBy} />
            {request.decisionReason === '' ? '. ' : ': “'}
            {request.decisionReason === '' ? null : (
              <>
                <SafeText text={request.decisionReason} />”{' '}
              </>
            )}
          </>
        )}
        <PolicyNote request={request} />
      </Content>
      {start.error === null || needsFreshSignIn(start.error) ? null : (
        <Notice variant="danger" isLiveRegion title={failureTitle(start.error, 'The session was not started')}>
          {errorSentence(start.error)}
        </Notice>
      )}
      {isProving ? (
        <FreshSignInDialog
          why="The policy wants a fresh proof before this session starts."
          onClose={() => setProving(false)}
          onProved={() => {
            setProving(false);
            run();
          }}
        />
      ) : null}
    </NowCard>
  );
}

const PolicyNote = ({ request }: { readonly request: RequestView }): ReactElement | null =>
  request.policyName === '' ? null : (
    <>
      Policy <SafeText text={request.policyName} />, version {request.policyVersion}.
    </>
  );

function CancelButton({ request }: { readonly request: RequestView }): ReactElement {
  const cancel = useApiMutation('AccessService/CancelMyRequest');
  return (
    <Button
      variant="secondary"
      size="sm"
      isLoading={cancel.isPending}
      isDisabled={cancel.isPending}
      onClick={() => cancel.mutate({ requestId: request.id })}
    >
      Withdraw
    </Button>
  );
}

/** A request that waits for a decision. */
export function WaitingCard({ request }: { readonly request: RequestView }): ReactElement {
  return (
    <NowCard
      name={requestTarget(request)}
      label={
        <Label color="blue" isCompact>
          waits
        </Label>
      }
      actions={<CancelButton request={request} />}
    >
      <Content component="p">
        {durationText(request.duration)}, asked <Ago at={request.createTime} />. It waits for{' '}
        <SafeText text={request.waitsFor === '' ? 'a decision' : request.waitsFor} />
        {request.stepCount > 1 ? `, step ${request.step} of ${request.stepCount}` : ''}.
      </Content>
      <Content component="small">
        <span className="curfew-quote">
          <SafeText text={request.reason} />
        </span>
        <PolicyNote request={request} />
      </Content>
    </NowCard>
  );
}
