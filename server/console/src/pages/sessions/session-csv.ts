import type { ApiClient } from '../../api/api-client.js';
import { csvText } from '../../export/csv.js';
import type { SessionView } from '../../model/session.js';
import { durationText } from '../../model/time-text.js';
import { everySession } from './every-session.js';
import { filterToProto, type SessionQuery } from './session-query.js';

const iso = (time: number | undefined): string => (time === undefined ? '' : new Date(time).toISOString());

const COLUMNS: readonly (readonly [head: string, cell: (session: SessionView) => string])[] = [
  ['id', ({ id }) => id],
  ['kind', ({ kind }) => kind],
  ['state', ({ state }) => state],
  ['user', ({ userName }) => userName],
  ['device', ({ deviceName }) => deviceName],
  ['account', ({ accountName }) => accountName],
  ['resource', ({ resourceName }) => resourceName],
  ['subject', ({ resourceSubject }) => resourceSubject],
  ['platform', ({ platform }) => platform ?? ''],
  ['reason', ({ reason }) => reason],
  ['granted by', ({ grantedBy }) => grantedBy],
  ['policy', ({ policyName }) => policyName],
  ['approved duration', ({ duration }) => (duration === undefined ? '' : durationText(duration))],
  ['created', ({ createTime }) => iso(createTime)],
  ['active since', ({ activeTime }) => iso(activeTime)],
  ['ends at the latest', ({ expireTime }) => iso(expireTime)],
  ['end decided', ({ endingTime }) => iso(endingTime)],
  ['end confirmed', ({ endedTime }) => iso(endedTime)],
  ['not confirmed since', ({ unconfirmedSince }) => iso(unconfirmedSince)],
  ['end reason', ({ endReason }) => endReason ?? ''],
  ['ended by', ({ endedBy }) => endedBy],
  ['break-glass', ({ breakGlass }) => (breakGlass ? 'yes' : '')],
];

/** Sessions as a table of text. */
export const sessionsCsv = (sessions: Iterable<SessionView>): string =>
  csvText(
    COLUMNS.map(([head]) => head),
    Array.from(sessions, (session) => COLUMNS.map(([, cell]) => cell(session))),
  );

/** Every session that matches, in the order of the list. */
export const allMatching = (api: Pick<ApiClient, 'call'>, query: SessionQuery): Promise<SessionView[]> =>
  everySession(api, filterToProto(query), `${query.sort}${query.descending ? ' desc' : ''}`);
