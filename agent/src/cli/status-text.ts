import {
  type AccessRequest,
  AccessRequestState,
  type LocalStatus,
  type ResourceStanding,
  SessionState,
} from '@curfew/proto';
import { instantMs, safeText, sinceText, timeText, type InstantMs } from '@curfew/shared/cli';
import { requestLines } from './request-text.js';
import { resourceSessionLines, sessionLines, type Reading } from './session-text.js';
import { next } from './text-parts.js';

const ENDED_SHOWN = 3;

/** Everything that a person wants to know of how they stand, with what to type next. */
export function statusText(status: LocalStatus, reading: Reading): string {
  const { now } = reading;
  const live = status.sessions.filter(isLive);
  const ended = status.sessions.filter((session) => !isLive(session)).slice(0, ENDED_SHOWN);
  const open = status.requests.filter(isOpen);
  const lines = [
    `${safeText(status.account?.name ?? '')} on ${safeText(status.deviceName)}${linkText(status, now)}`,
    ...live.flatMap((session) => sessionLines(session, reading)),
    ...open.flatMap((request) => requestLines(request, now)),
    ...refused(status.requests).flatMap((request) => requestLines(request, now)),
    ...ended.flatMap((session) => sessionLines(session, reading)),
  ];
  if (live.length === 0 && open.length === 0)
    lines.push('you have no admin rights now', next('ask for them', "curfew request --for 30m --reason '…'"));
  return `${[...lines, ...resourceLines(status, reading)].join('\n')}\n`;
}

/** The time by the server's clock at which a standing is read. */
export const serverNow = ({ asOfTime }: Pick<ResourceStanding, 'asOfTime'>, { now, ageMs }: Reading): InstantMs =>
  asOfTime === undefined ? now : instantMs(asOfTime.getTime() + ageMs);

/** What is of resources. A group of this device is among the device's own sessions. */
function resourceLines({ resources, sessions: own, serverLinked }: LocalStatus, reading: Reading): string[] {
  if (resources === undefined) return serverLinked ? [] : ['what you have of resources is known to the server only'];
  const now = serverNow(resources, reading);
  const shown = resources.sessions.filter(({ id }) => !own.some((session) => session.id === id));
  return [
    ...shown.filter(isLive).flatMap((session) => resourceSessionLines(session, now)),
    ...resources.requests.filter(isOpen).flatMap((request) => requestLines(request, now)),
    ...refused(resources.requests).flatMap((request) => requestLines(request, now)),
    ...shown
      .filter((session) => !isLive(session))
      .slice(0, ENDED_SHOWN)
      .flatMap((session) => resourceSessionLines(session, now)),
  ];
}

const isLive = ({ state }: { readonly state: SessionState }): boolean => state !== SessionState.ENDED;

const isOpen = ({ state }: AccessRequest): boolean =>
  state === AccessRequestState.PENDING || state === AccessRequestState.APPROVED;

/** The newest request, when nothing came of it. */
const refused = ([newest]: readonly AccessRequest[]): readonly AccessRequest[] =>
  newest === undefined || isOpen(newest) || newest.state === AccessRequestState.STARTED ? [] : [newest];

function linkText(status: LocalStatus, now: InstantMs): string {
  if (status.serverLinked) return '';
  const since = status.linkDownSinceTime;
  const how = since === undefined ? '' : ` for ${sinceText(since, now)}, since ${timeText(since, now)}`;
  return ` · server out of reach${how}; what you have still ends on time`;
}
