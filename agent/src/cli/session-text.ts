import { EndReason, GrantKind, type LocalSession, type Session, SessionState } from '@curfew/proto';
import { formatDuration, leftText, safeText, sinceText, timeText, type InstantMs } from '@curfew/shared/cli';
import { msOf, next, shortId } from './text-parts.js';

/** What a status is read against: the wall clock, and how long ago the status came by a clock that cannot jump. */
export interface Reading {
  readonly now: InstantMs;
  readonly ageMs: number;
}

/** How long a session still has. Counted from what the agent said, so that a jump of the wall clock does not show. */
export const remainingText = (session: LocalSession, { ageMs }: Reading): string =>
  formatDuration(Math.ceil((msOf(session.remaining) - ageMs) / 1000) * 1000);

/** A session, and what can be done with it. */
export function sessionLines(session: LocalSession, reading: Reading): string[] {
  const id = shortId(session.id);
  const { now } = reading;
  switch (session.state) {
    case SessionState.ACTIVE:
      return [
        `session ${id}: active, ${remainingText(session, reading)} left, until ${timeText(session.expireTime, now)}${termsText(session)}`,
        next('use it', 'sudo COMMAND'),
        next('give it back', `curfew end ${id}`),
      ];
    case SessionState.ENDED:
      return [`session ${id}: ended ${timeText(session.endTime, now)}, ${endText(session, ON_DEVICE)}`.trimEnd()];
    case SessionState.STARTING:
    case SessionState.ENDING:
      return [`session ${id}: ${session.state === SessionState.STARTING ? 'starting' : 'ending'}`];
    case SessionState.UNSPECIFIED:
      return [];
  }
}

/** What of a session's terms the person must know to use it. */
function termsText({ options }: LocalSession): string {
  if (options?.kind === GrantKind.GROUP_MEMBERSHIP)
    return options.group === ''
      ? "\n  member of the administrators' group; it counts from your next login on"
      : `\n  member of ${safeText(options.group)}; it counts from your next login on, here after: newgrp ${safeText(options.group)}`;
  const commands = options?.commands ?? [];
  return commands.length === 0 ? '' : `\n  only: ${commands.map(({ argv }) => safeText(argv.join(' '))).join('; ')}`;
}

type Ended = Pick<LocalSession | Session, 'endReason' | 'endedBy' | 'endDetail'>;

/** What is said where a right could not be given or kept. */
const [ON_DEVICE, ELSEWHERE] = [
  { refused: 'this device refused it', failed: 'this device could not keep it' },
  { refused: 'its device refused it', failed: 'the resource did not give it' },
];

function endText({ endReason, endedBy, endDetail }: Ended, words: typeof ON_DEVICE): string {
  const by = endedBy === '' ? '' : ` by ${safeText(endedBy)}`;
  const detail = endDetail === '' ? '' : `: ${safeText(endDetail)}`;
  switch (endReason) {
    case EndReason.EXPIRED:
      return `its time was over${detail}`;
    case EndReason.REVOKED:
      return `revoked${by}${detail}`;
    case EndReason.ENDED_BY_USER:
      return 'given back by you';
    case EndReason.DEVICE_REMOVED:
      return `the device was removed${by}${detail}`;
    case EndReason.ACCOUNT_REMOVED:
      return `the account is not the one it was given to${detail}`;
    case EndReason.REFUSED_BY_DEVICE:
      return `${words.refused}${detail}`;
    case EndReason.TAMPERED:
      return `the right was changed by somebody${detail}`;
    case EndReason.FAILED:
      return `${words.failed}${detail}`;
    case EndReason.UNSPECIFIED:
      return `for no reason that was told${detail}`;
  }
}

/** A session of a resource, and what can be done with it. `now` is by the server's clock. */
export function resourceSessionLines(session: Session, now: InstantMs): string[] {
  const head = `session ${shortId(session.id)}: ${safeText(session.resourceName)},`;
  const give = next('give it back', `curfew resources end ${safeText(session.resourceName)}`);
  switch (session.state) {
    case SessionState.STARTING:
      return [`${head} starting${overdueText(session, now)}`, give];
    case SessionState.ACTIVE: {
      const as = session.resourceSubject === '' ? '' : ` as ${safeText(session.resourceSubject)}`;
      const left = `${leftText(session.expireTime, now)} left, until ${timeText(session.expireTime, now)}`;
      return [`${head} active${as}, ${left}${overdueText(session, now)}`, give];
    }
    case SessionState.ENDING:
      return [`${head} ending, ${endText(session, ELSEWHERE)}${overdueText(session, now)}`];
    case SessionState.ENDED:
      return [`${head} ended ${timeText(session.endedTime, now)}, ${endText(session, ELSEWHERE)}`];
    case SessionState.UNSPECIFIED:
      return [];
  }
}

/** Since when the resource has not confirmed what should be; '' while nothing is overdue. */
function overdueText(session: Session, now: InstantMs): string {
  if (session.unconfirmedSinceTime === undefined) return '';
  const since = sinceText(session.unconfirmedSinceTime, now);
  const again = session.nextAttemptTime === undefined ? '' : `, next try in ${leftText(session.nextAttemptTime, now)}`;
  const said = session.attemptError === '' ? '' : `: ${safeText(session.attemptError)}`;
  return `; the resource has not confirmed for ${since}${again}${said}`;
}
