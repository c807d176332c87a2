import {
  EndReason,
  GrantKind,
  RecordingMode,
  RevokeOutcome,
  type Session,
  type SessionChanges,
  SessionKind,
  SessionState,
} from '@curfew/proto';
import type { GrantOptions, RevokeResult } from '@curfew/proto';
import {
  formatDuration,
  leftText,
  renderFields,
  renderTable,
  shellText,
  shortIds,
  sinceText,
  timeAndDistance,
  timeText,
  type CellStyle,
  type Column,
  type InstantMs,
  type Look,
} from '@curfew/shared/cli';
import { changesSummary } from './session-changes.js';
import { durationFromProto, enumText } from './proto-values.js';

/** Whether the right lives in a system outside: there is no device to be in touch with. */
const isOutside = ({ resourceId, deviceId }: Session): boolean => resourceId !== '' && deviceId === '';

/** Where a session stands, in words that never claim what the device or the resource has not confirmed. */
export function sessionStateText(session: Session, now: InstantMs): string {
  if (isOutside(session) && session.state !== SessionState.ENDED) return outsideStateText(session, now);
  switch (session.state) {
    case SessionState.STARTING:
      return session.deviceOnline ? 'starting' : `starting · ${waitingForDevice(session, now)}`;
    case SessionState.ENDING:
      return session.deviceOnline ? 'ending' : `ending · ${waitingForDevice(session, now)}`;
    case SessionState.ACTIVE:
      return session.deviceOnline ? 'active' : `active · device offline${since(session, now)}`;
    case SessionState.ENDED:
      return `ended · ${enumText(EndReason, session.endReason)}`;
    case SessionState.UNSPECIFIED:
      return '';
  }
}

function outsideStateText(session: Session, now: InstantMs): string {
  const { state, unconfirmedSinceTime, nextAttemptTime, attemptError } = session;
  const word = enumText(SessionState, state);
  if (unconfirmedSinceTime === undefined) return word;
  const parts = [`${word} · not confirmed by the resource since ${timeText(unconfirmedSinceTime, now)}`];
  if (nextAttemptTime !== undefined) parts.push(`next try ${timeText(nextAttemptTime, now)}`);
  if (attemptError !== '') parts.push(attemptError);
  return parts.join(', ');
}

const waitingForDevice = (session: Session, now: InstantMs): string =>
  `waiting for device, offline${since(session, now)}`;

const since = (session: Session, now: InstantMs): string =>
  session.deviceOfflineSinceTime === undefined ? '' : ` since ${timeText(session.deviceOfflineSinceTime, now)}`;

const stateStyle = (session: Session): CellStyle | undefined => {
  const { state } = session;
  if (state === SessionState.ENDED) return 'dim';
  const inTouch = isOutside(session) ? session.unconfirmedSinceTime === undefined : session.deviceOnline;
  if (!inTouch || state !== SessionState.ACTIVE) return 'yellow';
  return 'green';
};

function left(session: Session, now: InstantMs): string {
  if (session.state === SessionState.ENDED) return '';
  return leftText(session.expireTime, now);
}

/** What sessions or requests are about; a column is there when any of them has something for it. */
export function placeColumns<T extends { readonly resourceName: string; readonly deviceName: string }>(
  items: readonly T[],
): Column<T>[] {
  const outside = items.some(({ resourceName }) => resourceName !== '');
  const onDevices = !outside || items.some(({ deviceName }) => deviceName !== '');
  return [
    ...(outside ? [{ title: 'RESOURCE', value: ({ resourceName }: T) => resourceName }] : []),
    ...(onDevices ? [{ title: 'DEVICE', value: ({ deviceName }: T) => deviceName }] : []),
  ];
}

/** The sessions as a table; `now` is what the countdowns are counted from. */
export function sessionTable(sessions: readonly Session[], now: InstantMs, look: Look): string {
  const short = shortIds(sessions.map(({ id }) => id));
  return renderTable<Session>(
    [
      { title: 'ID', value: ({ id }) => short(id) },
      { title: 'USER', value: ({ userName }) => userName },
      ...placeColumns(sessions),
      { title: 'ACCOUNT', value: ({ account, resourceSubject }) => account?.name ?? resourceSubject },
      { title: 'STATE', value: (session) => sessionStateText(session, now), style: stateStyle },
      { title: 'LEFT', value: (session) => left(session, now) },
      { title: 'REASON', value: ({ reason }) => reason, flexible: true },
    ],
    sessions,
    look,
  );
}

/** One session, field by field. */
export function sessionFields(
  session: Session,
  changes: SessionChanges | undefined,
  now: InstantMs,
  look: Look,
): string {
  const detail = [session.endDetail, session.endedBy === '' ? '' : `by ${session.endedBy}`].filter(Boolean).join(', ');
  return renderFields(
    [
      ['id', session.id],
      ['kind', enumText(SessionKind, session.kind)],
      ['state', sessionStateText(session, now)],
      ['user', session.userName],
      ['resource', session.resourceName],
      ['device', session.deviceName],
      ['account', accountText(session)],
      ['there known as', session.resourceSubject],
      ['gives', optionsText(session.options)],
      ['for', formatDuration(durationFromProto(session.duration))],
      ['reason', session.reason],
      ['granted by', session.grantedBy],
      ['request', session.requestId],
      ['policy', session.policyName === '' ? '' : `${session.policyName}, version ${session.policyVersion}`],
      ['break-glass', session.breakGlass ? 'yes' : ''],
      ['recorded', recordedText(session)],
      ['desktop', session.desktop ? 'its prompts are answered as well' : ''],
      [
        'if the link is lost',
        session.offlineEndAfter === undefined
          ? ''
          : `ends ${formatDuration(durationFromProto(session.offlineEndAfter))} later`,
      ],
      ['cannot be extended', session.state === SessionState.ACTIVE ? session.notExtendableReason : ''],
      ['made', timeAndDistance(session.createTime, now)],
      ['active since', timeAndDistance(session.activeTime, now)],
      [
        session.state === SessionState.ENDED ? 'would have ended' : 'ends by itself',
        timeAndDistance(session.expireTime, now),
      ],
      ['end decided', timeAndDistance(session.endingTime, now)],
      ['end confirmed', timeAndDistance(session.endedTime, now)],
      ['processes', processesText(session)],
      ['end', [enumText(EndReason, session.endReason), detail].filter(Boolean).join(': ')],
      ['left behind', changesSummary(changes)],
    ],
    look,
  );
}

/** What is recorded of a session. */
function recordedText({ recording }: Session): string {
  const what = enumText(RecordingMode, recording?.mode ?? RecordingMode.UNSPECIFIED).replaceAll('_', ' ');
  return what !== '' && recording?.required === true ? `${what}; sudo refuses where that cannot be done` : what;
}

/** What became of the processes that a session left running. */
function processesText({ processes, keepProcesses }: Session): string {
  if (processes === undefined) return keepProcesses ? 'reported at its end, not ended' : '';
  const names = processes.leftNames.length === 0 ? '' : ` (${processes.leftNames.join(', ')})`;
  return `ended: ${processes.ended}, left: ${processes.left}${names}`;
}

const accountText = ({ account }: Session): string =>
  account === undefined ? '' : account.uid === undefined ? account.name : `${account.name} (uid ${account.uid})`;

/** What a right allows, in words. */
export function optionsText(options: GrantOptions | undefined): string {
  if (options === undefined) return '';
  const what =
    options.kind === GrantKind.GROUP_MEMBERSHIP
      ? `membership of ${options.group || 'the administrators group'}`
      : 'sudo';
  const runAs = options.runAs === '' || options.runAs === 'root' ? '' : ` as ${options.runAs}`;
  const only =
    options.commands.length === 0 ? '' : `, only: ${options.commands.map(({ argv }) => shellText(argv)).join('; ')}`;
  return `${what}${runAs}${options.passwordRequired ? ' with password' : ''}${only}`;
}

/** How far a revoke has come, session by session. */
export function revokeTable(results: readonly RevokeResult[], now: InstantMs, look: Look): string {
  const short = shortIds(results.map(({ session }) => session?.id ?? ''));
  return renderTable<RevokeResult>(
    [
      { title: 'ID', value: ({ session }) => short(session?.id ?? '') },
      { title: 'USER', value: ({ session }) => session?.userName ?? '' },
      {
        title: results.some(({ session }) => session !== undefined && isOutside(session)) ? 'ON' : 'DEVICE',
        value: ({ session }) => session?.resourceName || (session?.deviceName ?? ''),
      },
      { title: 'OUTCOME', value: ({ outcome }) => enumText(RevokeOutcome, outcome), style: outcomeStyle },
      { title: 'ACCEPTED', value: ({ acceptedTime }) => timeText(acceptedTime, now) },
      { title: 'EFFECTIVE', value: ({ effectiveTime }) => timeText(effectiveTime, now) },
      {
        title: 'DIES BY',
        value: ({ outcome, diesByTime }) =>
          outcome === RevokeOutcome.EFFECTIVE || diesByTime === undefined
            ? ''
            : `${timeText(diesByTime, now)} (${leftText(diesByTime, now)})`,
      },
      {
        title: 'DEVICE LINK',
        value: ({ session, outcome }) =>
          session !== undefined && isOutside(session)
            ? ''
            : outcome === RevokeOutcome.PENDING
              ? `offline ${sinceText(session?.deviceOfflineSinceTime, now)}`.trim()
              : session?.deviceOnline === true
                ? 'up'
                : 'down',
      },
    ],
    results,
    look,
  );
}

const outcomeStyle = ({ outcome }: RevokeResult): CellStyle =>
  outcome === RevokeOutcome.EFFECTIVE ? 'green' : outcome === RevokeOutcome.PENDING ? 'red' : 'yellow';

function whoConfirms(results: readonly RevokeResult[]): string {
  const open = results.filter(({ outcome }) => outcome === RevokeOutcome.ACCEPTED);
  const outside = open.filter(({ session }) => session !== undefined && isOutside(session)).length;
  return outside === 0 ? 'the device' : outside === open.length ? 'the resource' : 'devices and resources';
}

/** One sentence over all: how many are gone, awaited and out of reach, and when the last of those dies. */
export function revokeSummary(results: readonly RevokeResult[], now: InstantMs): string {
  const count = (outcome: RevokeOutcome): number => results.filter((result) => result.outcome === outcome).length;
  const parts: string[] = [];
  if (count(RevokeOutcome.EFFECTIVE) > 0) parts.push(`${count(RevokeOutcome.EFFECTIVE)} effective`);
  if (count(RevokeOutcome.ACCEPTED) > 0)
    parts.push(`${count(RevokeOutcome.ACCEPTED)} accepted (waiting for ${whoConfirms(results)} to confirm)`);
  const unreached = results.filter(({ outcome }) => outcome === RevokeOutcome.PENDING);
  const outside = unreached.filter(({ session }) => session !== undefined && isOutside(session));
  const pending = unreached.filter((result) => !outside.includes(result));
  if (outside.length > 0)
    parts.push(`${outside.length} pending (the resource does not answer; tried again until it has confirmed)`);
  if (pending.length > 0) {
    const last = Math.max(...pending.map(({ diesByTime }) => diesByTime?.getTime() ?? 0));
    const by = timeAndDistance(new Date(last), now);
    parts.push(`${pending.length} pending (device out of reach; gone by itself no later than ${by})`);
  }
  const all = `${results.length} ${results.length === 1 ? 'session' : 'sessions'}`;
  return `revoke of ${all}: ${parts.join(', ')}`;
}
