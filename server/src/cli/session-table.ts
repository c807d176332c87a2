import {
  type Command as ProtoCommand,
  EndReason,
  GrantKind,
  RevokeOutcome,
  type Session,
  SessionKind,
  SessionState,
} from '@curfew/proto';
import type { GrantOptions, RevokeResult } from '@curfew/proto';
import {
  formatDuration,
  leftText,
  renderFields,
  renderTable,
  shortIds,
  sinceText,
  timeAndDistance,
  timeText,
  type CellStyle,
  type InstantMs,
  type Look,
} from '@curfew/shared/cli';
import { durationFromProto, enumText } from './proto-values.js';

/** Where a session stands, in words that never claim what the device has not confirmed. */
export function sessionStateText(session: Session, now: InstantMs): string {
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

const waitingForDevice = (session: Session, now: InstantMs): string =>
  `waiting for device, offline${since(session, now)}`;

const since = (session: Session, now: InstantMs): string =>
  session.deviceOfflineSinceTime === undefined ? '' : ` since ${timeText(session.deviceOfflineSinceTime, now)}`;

const stateStyle = ({ state, deviceOnline }: Session): CellStyle | undefined => {
  if (state === SessionState.ENDED) return 'dim';
  if (!deviceOnline || state !== SessionState.ACTIVE) return 'yellow';
  return 'green';
};

function left(session: Session, now: InstantMs): string {
  if (session.state === SessionState.ENDED) return '';
  return leftText(session.expireTime, now);
}

/** The sessions as a table; `now` is what the countdowns are counted from. */
export function sessionTable(sessions: readonly Session[], now: InstantMs, look: Look): string {
  const short = shortIds(sessions.map(({ id }) => id));
  return renderTable<Session>(
    [
      { title: 'ID', value: ({ id }) => short(id) },
      { title: 'USER', value: ({ userName }) => userName },
      { title: 'DEVICE', value: ({ deviceName }) => deviceName },
      { title: 'ACCOUNT', value: ({ account }) => account?.name ?? '' },
      { title: 'STATE', value: (session) => sessionStateText(session, now), style: stateStyle },
      { title: 'LEFT', value: (session) => left(session, now) },
      { title: 'REASON', value: ({ reason }) => reason, flexible: true },
    ],
    sessions,
    look,
  );
}

/** One session, field by field. */
export function sessionFields(session: Session, now: InstantMs, look: Look): string {
  const detail = [session.endDetail, session.endedBy === '' ? '' : `by ${session.endedBy}`].filter(Boolean).join(', ');
  return renderFields(
    [
      ['id', session.id],
      ['kind', enumText(SessionKind, session.kind)],
      ['state', sessionStateText(session, now)],
      ['user', session.userName],
      ['device', session.deviceName],
      ['account', accountText(session)],
      ['gives', optionsText(session.options)],
      ['for', formatDuration(durationFromProto(session.duration))],
      ['reason', session.reason],
      ['granted by', session.grantedBy],
      ['request', session.requestId],
      ['policy', session.policyName === '' ? '' : `${session.policyName}, version ${session.policyVersion}`],
      ['break-glass', session.breakGlass ? 'yes' : ''],
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
      ['end', [enumText(EndReason, session.endReason), detail].filter(Boolean).join(': ')],
    ],
    look,
  );
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
  const only = options.commands.length === 0 ? '' : `, only: ${options.commands.map(commandText).join('; ')}`;
  return `${what}${runAs}${options.passwordRequired ? ' with password' : ''}${only}`;
}

const commandText = ({ argv }: ProtoCommand): string =>
  argv.map((word) => (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word}'`)).join(' ');

/** How far a revoke has come, session by session. */
export function revokeTable(results: readonly RevokeResult[], now: InstantMs, look: Look): string {
  const short = shortIds(results.map(({ session }) => session?.id ?? ''));
  return renderTable<RevokeResult>(
    [
      { title: 'ID', value: ({ session }) => short(session?.id ?? '') },
      { title: 'USER', value: ({ session }) => session?.userName ?? '' },
      { title: 'DEVICE', value: ({ session }) => session?.deviceName ?? '' },
      { title: 'OUTCOME', value: ({ outcome }) => enumText(RevokeOutcome, outcome), style: outcomeStyle },
      { title: 'ACCEPTED', value: ({ acceptedTime }) => timeText(acceptedTime, now) },
      { title: 'EFFECTIVE', value: ({ effectiveTime }) => timeText(effectiveTime, now) },
      {
        title: 'DIES BY',
        value: ({ outcome, diesByTime }) =>
          outcome === RevokeOutcome.EFFECTIVE ? '' : `${timeText(diesByTime, now)} (${leftText(diesByTime, now)})`,
      },
      {
        title: 'DEVICE LINK',
        value: ({ session, outcome }) =>
          outcome === RevokeOutcome.PENDING
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

/** One sentence over all: how many are gone, awaited and out of reach, and when the last of those dies. */
export function revokeSummary(results: readonly RevokeResult[], now: InstantMs): string {
  const count = (outcome: RevokeOutcome): number => results.filter((result) => result.outcome === outcome).length;
  const parts: string[] = [];
  if (count(RevokeOutcome.EFFECTIVE) > 0) parts.push(`${count(RevokeOutcome.EFFECTIVE)} effective`);
  if (count(RevokeOutcome.ACCEPTED) > 0)
    parts.push(`${count(RevokeOutcome.ACCEPTED)} accepted (waiting for the device to confirm)`);
  const pending = results.filter(({ outcome }) => outcome === RevokeOutcome.PENDING);
  if (pending.length > 0) {
    const last = Math.max(...pending.map(({ diesByTime }) => diesByTime?.getTime() ?? 0));
    const by = timeAndDistance(new Date(last), now);
    parts.push(`${pending.length} pending (device out of reach; gone by itself no later than ${by})`);
  }
  const all = `${results.length} ${results.length === 1 ? 'session' : 'sessions'}`;
  return `revoke of ${all}: ${parts.join(', ')}`;
}
