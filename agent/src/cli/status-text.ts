import {
  type AccessRequest,
  AccessRequestState,
  type Duration,
  EndReason,
  GrantKind,
  type LocalSession,
  type LocalStatus,
  SessionState,
} from '@curfew/proto';
import { formatDuration, leftText, safeText, sinceText, timeText, type InstantMs } from '@curfew/shared/cli';

/** What a status is read against: the wall clock, and how long ago the status came by a clock that cannot jump. */
export interface Reading {
  readonly now: InstantMs;
  readonly ageMs: number;
}

const ENDED_SHOWN = 3;
const ID_SHOWN = 12;

/** Shortens an id to what a person can type. */
const shortId = (id: string): string => safeText(id.slice(0, ID_SHOWN));

const durationOf = (duration: Duration | undefined): number =>
  duration === undefined ? 0 : Number(duration.seconds) * 1000 + duration.nanos / 1_000_000;

/** How long a session still has. Counted from what the agent said, so that a jump of the wall clock does not show. */
export const remainingText = (session: LocalSession, { ageMs }: Reading): string =>
  formatDuration(Math.ceil((durationOf(session.remaining) - ageMs) / 1000) * 1000);

/** Everything that a person wants to know of how they stand, with what to type next. */
export function statusText(status: LocalStatus, reading: Reading): string {
  const { now } = reading;
  const live = status.sessions.filter(isLive);
  const ended = status.sessions.filter((session) => !isLive(session)).slice(0, ENDED_SHOWN);
  const open = status.requests.filter(isOpen);
  const newest = status.requests[0];
  const decided =
    newest !== undefined && !isOpen(newest) && newest.state !== AccessRequestState.STARTED ? [newest] : [];
  const lines = [
    `${safeText(status.account?.name ?? '')} on ${safeText(status.deviceName)}${linkText(status, now)}`,
    ...live.flatMap((session) => sessionLines(session, reading)),
    ...open.flatMap((request) => requestLines(request, now)),
    ...decided.flatMap((request) => requestLines(request, now)),
    ...ended.flatMap((session) => sessionLines(session, reading)),
  ];
  if (live.length === 0 && open.length === 0)
    lines.push('you have no admin rights now', next('ask for them', "curfew request --for 30m --reason '…'"));
  return `${lines.join('\n')}\n`;
}

const isLive = ({ state }: LocalSession): boolean => state !== SessionState.ENDED;

const isOpen = ({ state }: AccessRequest): boolean =>
  state === AccessRequestState.PENDING || state === AccessRequestState.APPROVED;

function linkText(status: LocalStatus, now: InstantMs): string {
  if (status.serverLinked) return '';
  const since = status.linkDownSinceTime;
  const how = since === undefined ? '' : ` for ${sinceText(since, now)}, since ${timeText(since, now)}`;
  return ` · server out of reach${how}; what you have still ends on time`;
}

const next = (what: string, command: string): string => `  ${`${what}:`.padEnd(14)} ${command}`;

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
      return [`session ${id}: ended ${timeText(session.endTime, now)}, ${endText(session)}`.trimEnd()];
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

function endText({ endReason, endedBy, endDetail }: LocalSession): string {
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
      return `this device refused it${detail}`;
    case EndReason.TAMPERED:
      return `the right was changed by somebody${detail}`;
    case EndReason.FAILED:
      return `this device could not keep it${detail}`;
    case EndReason.UNSPECIFIED:
      return `for no reason that was told${detail}`;
  }
}

/** Who is waited for. Servers of before policies do not say. */
const deciders = ({ waitsFor, step, stepCount }: AccessRequest): string => {
  const who = waitsFor === '' || waitsFor === 'any approver' ? 'an approver' : safeText(waitsFor);
  return stepCount > 1 ? `${who} (step ${step} of ${stepCount})` : who;
};

/** A request, why it stands so, and what can be done with it. */
export function requestLines(request: AccessRequest, now: InstantMs): string[] {
  const id = shortId(request.id);
  const length = formatDuration(durationOf(request.duration));
  const by = request.decidedBy === '' ? '' : ` by ${safeText(request.decidedBy)}`;
  const said = request.decisionReason === '' ? '' : `: ${safeText(request.decisionReason)}`;
  const within = `   (within ${leftText(request.startByTime, now)})`;
  const again = next('ask again', `curfew request --for ${length} --reason '…'`);
  switch (request.state) {
    case AccessRequestState.PENDING:
      return [
        `request ${id}: for ${length}, waiting for ${deciders(request)} since ${sinceText(request.createTime, now)}; ` +
          `times out in ${leftText(request.decideByTime, now)}`,
        `  reason: ${safeText(request.reason)}`,
        next('follow it', 'curfew watch'),
        next('withdraw it', `curfew cancel ${id}`),
      ];
    case AccessRequestState.APPROVED:
      return [
        `request ${id}: approved${by} for ${length}${said}`,
        request.freshSignInRequired
          ? next('start it', "in Curfew's console, after a fresh sign-in") + within
          : next('start it', `curfew start ${id}`) + within,
        next('withdraw it', `curfew cancel ${id}`),
      ];
    case AccessRequestState.DENIED:
      return [`request ${id}: denied${by}${said}`, again];
    case AccessRequestState.CANCELLED:
      return [`request ${id}: withdrawn`, again];
    case AccessRequestState.TIMED_OUT:
      return [`request ${id}: nobody decided in time`, again];
    case AccessRequestState.LAPSED:
      return [`request ${id}: approved${by}, but not started in time`, again];
    case AccessRequestState.STARTED:
      return [`request ${id}: started`];
    case AccessRequestState.UNSPECIFIED:
      return [];
  }
}
