import {
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
  DrawerActions,
  DrawerCloseButton,
  DrawerHead,
  DrawerPanelBody,
  DrawerPanelContent,
  Flex,
  Title,
} from '@patternfly/react-core';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useRef, type ReactElement, type ReactNode } from 'react';
import { useApiQuery } from '../../api/use-api.js';
import { useSignedIn } from '../../auth/use-auth.js';
import { PLATFORM_NAMES } from '../../model/platform.js';
import { sessionFromProto, type SessionView } from '../../model/session.js';
import { durationText } from '../../model/time-text.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { ResourceLink } from '../../ui/links.js';
import { SafeText } from '../../ui/safe-text.js';
import { ErrorView, LoadingView } from '../../ui/states.js';
import { Moment, TimeLeft } from '../../ui/times.js';
import { extendRefusal, revokeRefusal } from './session-refusals.js';
import { SessionChanges } from './session-changes.js';
import { SessionStateLabel } from './session-state-label.js';
import { END_WORDS } from './session-status.js';

// Sessions without recording need none of it.
const CommandList = lazy(() =>
  import('../replay/command-list.js').then(({ CommandList: component }) => ({ default: component })),
);

export interface SessionDetailsProps {
  readonly id: string;
  /** The session as the list shows it, which is newer than what was asked for alone. */
  readonly known: SessionView | undefined;
  readonly onClose: () => void;
  readonly onExtend: (session: SessionView) => void;
  readonly onRevoke: (session: SessionView) => void;
}

/** Everything about one session, beside the list. */
export function SessionDetails({ id, known, onClose, onExtend, onRevoke }: SessionDetailsProps): ReactElement {
  const answer = useApiQuery('SessionService/GetSession', { sessionId: id }, { refetchIntervalMs: 10_000 });
  const asked = answer.data?.session === undefined ? undefined : sessionFromProto(answer.data.session);
  const session = newest(known, asked);
  const headRef = useRef<HTMLHeadingElement>(null);
  useEffect(() => headRef.current?.focus(), [id]);
  return (
    <DrawerPanelContent defaultSize="28rem" minSize="20rem" aria-label="Details of the session">
      <DrawerHead>
        <Title headingLevel="h2" size="lg" tabIndex={-1} ref={headRef}>
          Session
        </Title>
        <DrawerActions>
          <DrawerCloseButton aria-label="Close the details" onClose={onClose} />
        </DrawerActions>
      </DrawerHead>
      <DrawerPanelBody>
        {session === undefined ? (
          answer.error === null ? (
            <LoadingView what="the session" />
          ) : (
            <ErrorView
              title="The session could not be loaded"
              error={answer.error}
              onRetry={() => void answer.refetch()}
            />
          )
        ) : (
          <>
            <Facts session={session} onExtend={onExtend} onRevoke={onRevoke} />
            {session.recording.mode === 'off' ? null : <Commands session={session} />}
            {answer.data?.changes === undefined ? null : <SessionChanges changes={answer.data.changes} />}
          </>
        )}
      </DrawerPanelBody>
    </DrawerPanelContent>
  );
}

/** What was run with sudo. */
function Commands({ session }: { readonly session: SessionView }): ReactElement {
  return (
    <>
      <Title headingLevel="h3" size="md" className="curfew-changes-title">
        Commands
      </Title>
      <Suspense fallback={<LoadingView what="commands" />}>
        <CommandList sessionId={session.id} isLive={session.state !== 'ended'} />
      </Suspense>
    </>
  );
}

const newest = (a: SessionView | undefined, b: SessionView | undefined): SessionView | undefined =>
  a === undefined || (b !== undefined && b.revision > a.revision) ? b : a;

function Facts({
  session,
  onExtend,
  onRevoke,
}: { readonly session: SessionView } & Pick<SessionDetailsProps, 'onExtend' | 'onRevoke'>): ReactElement {
  const { user } = useSignedIn();
  return (
    <>
      <Flex className="curfew-named" gap={{ default: 'gapSm' }}>
        <GuardedButton
          variant="danger"
          size="sm"
          refusal={revokeRefusal(user.role, session)}
          onClick={() => onRevoke(session)}
        >
          Revoke
        </GuardedButton>
        <GuardedButton
          variant="secondary"
          size="sm"
          refusal={extendRefusal(user.role, user.id, session)}
          onClick={() => onExtend(session)}
        >
          Extend
        </GuardedButton>
      </Flex>
      <DescriptionList isCompact isHorizontal horizontalTermWidthModifier={{ default: '9rem' }}>
        <Fact term="State">
          <SessionStateLabel session={session} />
        </Fact>
        <Fact term="User">
          <Link to="/users/$userId" params={{ userId: session.userId }} search={{}}>
            <SafeText text={session.userName} />
          </Link>
        </Fact>
        {session.kind === 'device_admin' ? (
          <>
            <Fact term="Device">
              <Link to="/devices/$deviceId" params={{ deviceId: session.deviceId }} search={{}}>
                <SafeText text={session.deviceName} />
              </Link>
              {session.platform === undefined ? '' : `, ${PLATFORM_NAMES[session.platform]}`}
            </Fact>
            <Fact term="Account">
              <SafeText text={session.accountName} />
            </Fact>
            <Fact term="Right">{rightText(session)}</Fact>
          </>
        ) : (
          <ResourceFacts session={session} />
        )}
        <Fact term="Reason">
          <SafeText text={session.reason} />
        </Fact>
        <Fact term="Time left">{session.state === 'ended' ? '—' : <TimeLeft until={session.expireTime} />}</Fact>
        <Fact term="Duration">{session.duration === undefined ? '—' : durationText(session.duration)}</Fact>
        <OriginFacts session={session} />
        <EndFacts session={session} />
        <Fact term="Id">
          <code className="curfew-id">{session.id}</code>
        </Fact>
      </DescriptionList>
    </>
  );
}

function ResourceFacts({ session }: { readonly session: SessionView }): ReactElement {
  return (
    <>
      <Fact term="Resource">
        <ResourceLink id={session.resourceId} name={session.resourceName} />
      </Fact>
      {session.resourceSubject === '' ? null : (
        <Fact term="Known there as">
          <SafeText text={session.resourceSubject} />
        </Fact>
      )}
      {session.unconfirmedSince === undefined ? null : (
        <Fact term="Not confirmed since">
          <Moment at={session.unconfirmedSince} />
        </Fact>
      )}
      {session.nextAttempt === undefined ? null : (
        <Fact term="Next try">
          <Moment at={session.nextAttempt} />
        </Fact>
      )}
      {session.attemptError === '' ? null : (
        <Fact term="It said last">
          <SafeText text={session.attemptError} />
        </Fact>
      )}
    </>
  );
}

function OriginFacts({ session }: { readonly session: SessionView }): ReactElement {
  return (
    <>
      <Fact term="Given">
        <Moment at={session.createTime} /> by <SafeText text={session.grantedBy || 'nobody'} />
      </Fact>
      <Fact term="Active since">{session.activeTime === undefined ? '—' : <Moment at={session.activeTime} />}</Fact>
      <Fact term="Ends at the latest">
        <Moment at={session.expireTime} />
      </Fact>
      {session.kind === 'timed_access' ? null : (
        <Fact term="When offline">
          {session.offlineEndAfter === undefined
            ? 'runs to its end'
            : `ends ${durationText(session.offlineEndAfter)} after the link is lost`}
        </Fact>
      )}
      {session.recording.mode === 'off' ? null : (
        <Fact term="Recorded">
          {RECORDED[session.recording.mode]}
          {session.recording.isRequired ? ', or not run' : ''}
          {session.recording.keep === undefined ? '' : `, kept for ${durationText(session.recording.keep)}`}
        </Fact>
      )}
      {session.desktop ? <Fact term="Desktop">its prompts are answered as well</Fact> : null}
      {session.policyName === '' ? null : (
        <Fact term="Policy">
          <Link to="/policies/$policyName" params={{ policyName: session.policyName }} search={{}}>
            {session.policyName}
          </Link>{' '}
          version {session.policyVersion}
        </Fact>
      )}
      {session.requestId === '' ? null : (
        <Fact term="Request">
          <Link to="/requests/$requestId" params={{ requestId: session.requestId }} search={{}}>
            {session.requestId}
          </Link>
        </Fact>
      )}
    </>
  );
}

function EndFacts({ session }: { readonly session: SessionView }): ReactElement | null {
  if (session.endingTime === undefined && session.endedTime === undefined) return null;
  return (
    <>
      <Fact term="End decided">
        <Moment at={session.endingTime} />
        {session.endedBy === '' ? null : (
          <>
            {' '}
            by <SafeText text={session.endedBy} />
          </>
        )}
      </Fact>
      <Fact term="End confirmed">
        {session.endedTime === undefined ? 'not yet' : <Moment at={session.endedTime} />}
      </Fact>
      <Fact term="Why it ends">
        {session.endReason === undefined ? '' : END_WORDS[session.endReason]}
        {session.endDetail === '' ? null : (
          <>
            : <SafeText text={session.endDetail} />
          </>
        )}
      </Fact>
      {session.processes === undefined ? null : (
        <Fact term="Processes">
          {`ended: ${session.processes.ended}, left: ${session.processes.left}`}
          {session.processes.leftNames.length === 0 ? null : (
            <>
              {' '}
              (<SafeText text={session.processes.leftNames.join(', ')} />)
            </>
          )}
        </Fact>
      )}
    </>
  );
}

const RECORDED = {
  commands: 'commands',
  output: 'commands and output',
  input_and_output: 'commands, input and output',
} as const;

function rightText({ options }: SessionView): string {
  if (options?.kind === 'GRANT_KIND_GROUP_MEMBERSHIP')
    return `member of ${options.group === undefined || options.group === '' ? "the administrators' group" : options.group}`;
  const commands = options?.commands ?? [];
  const runAs = options?.runAs === undefined || options.runAs === '' ? 'root' : options.runAs;
  return commands.length === 0 ? `sudo as ${runAs}` : `sudo as ${runAs}, ${commands.length} commands only`;
}

function Fact({ term, children }: { readonly term: string; readonly children: ReactNode }): ReactElement {
  return (
    <DescriptionListGroup>
      <DescriptionListTerm>{term}</DescriptionListTerm>
      <DescriptionListDescription>{children}</DescriptionListDescription>
    </DescriptionListGroup>
  );
}
