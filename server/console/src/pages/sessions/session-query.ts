import { SESSION_STATES, type SessionKind, type SessionState } from '@curfew/shared/browser';
import { definedOnly, wordParam } from '../../app/page-search.js';
import type { ListSessionsRequestJson, SessionFilterJson } from '../../gen/api.js';
import { PLATFORMS, platformToProto, type Platform } from '../../model/platform.js';
import { durationToProto } from '../../model/proto-json.js';
import { sessionKindToProto, sessionStateToProto } from '../../model/session.js';

/** The two tabs, as addresses spell them. */
export const TABS = ['device-admin', 'timed-access'] as const;
export type Tab = (typeof TABS)[number];

export const TAB_KIND: Readonly<Record<Tab, SessionKind>> = {
  'device-admin': 'device_admin',
  'timed-access': 'timed_access',
};

/** By what the list can be sorted, as the API spells it. */
const SORT_COLUMNS = ['expire_time', 'create_time', 'user_name', 'device_name', 'resource_name', 'state'] as const;
export type SortColumn = (typeof SORT_COLUMNS)[number];

/** What 'ending soon' can mean, in minutes. */
export const SOON_MINUTES = ['5', '15', '60'] as const;

export const PAGE_SIZES = [20, 50, 100, 200] as const;

/** Which sessions the page shows, and how. Everything of it stands in the address. */
export interface SessionQuery {
  readonly tab: Tab;
  readonly text: string;
  readonly user: string;
  readonly device: string;
  readonly resource: string;
  readonly platform: Platform | undefined;
  readonly states: readonly SessionState[];
  readonly soonMinutes: (typeof SOON_MINUTES)[number] | undefined;
  readonly sort: SortColumn;
  readonly descending: boolean;
  /** The session whose details are open. */
  readonly open: string | undefined;
}

type Search = Readonly<Record<string, string | undefined>>;

/** Reads an address. What makes no sense there is left out. */
export function queryFromSearch(search: Search): SessionQuery {
  const [sort, direction] = (search['sort'] ?? '').split(' ');
  return {
    tab: wordParam(TABS, search['tab']) ?? 'device-admin',
    text: search['q'] ?? '',
    user: search['user'] ?? '',
    device: search['device'] ?? '',
    resource: search['resource'] ?? '',
    platform: wordParam(PLATFORMS, search['platform']),
    states: (search['state'] ?? '').split(',').flatMap((word) => wordParam(SESSION_STATES, word) ?? []),
    soonMinutes: wordParam(SOON_MINUTES, search['soon']),
    sort: wordParam(SORT_COLUMNS, sort) ?? 'expire_time',
    descending: direction === 'desc',
    open: search['session'],
  };
}

const orNone = (text: string): string | undefined => (text === '' ? undefined : text);

/** Writes an address; what is as usual is left out. */
export function searchFromQuery(query: SessionQuery): Record<string, string> {
  const sort = `${query.sort}${query.descending ? ' desc' : ''}`;
  return definedOnly({
    tab: query.tab === 'device-admin' ? undefined : query.tab,
    q: orNone(query.text),
    user: orNone(query.user),
    device: orNone(query.device),
    resource: orNone(query.resource),
    platform: query.platform,
    state: orNone(query.states.join(',')),
    soon: query.soonMinutes,
    sort: sort === 'expire_time' ? undefined : sort,
    session: query.open,
  });
}

/** The filter as the API takes it. */
export function filterToProto(query: SessionQuery): SessionFilterJson {
  return definedOnly({
    kind: sessionKindToProto(TAB_KIND[query.tab]),
    states: query.states.length === 0 ? undefined : query.states.map(sessionStateToProto),
    text: orNone(query.text),
    user: orNone(query.user),
    device: orNone(query.device),
    resource: orNone(query.resource),
    platform: query.platform === undefined ? undefined : platformToProto(query.platform),
    endingWithin: query.soonMinutes === undefined ? undefined : durationToProto(Number(query.soonMinutes) * 60_000),
  });
}

/** The page of sessions as the API takes it. */
export function listRequest(query: SessionQuery, pageSize: number, pageToken: string): ListSessionsRequestJson {
  return {
    filter: filterToProto(query),
    orderBy: `${query.sort}${query.descending ? ' desc' : ''}`,
    pageSize,
    ...(pageToken === '' ? {} : { pageToken }),
  };
}

/** Whether the list is narrowed down by more than its tab. */
export const isNarrowed = (query: SessionQuery): boolean =>
  query.text !== '' ||
  query.user !== '' ||
  query.device !== '' ||
  query.resource !== '' ||
  query.platform !== undefined ||
  query.states.length > 0 ||
  query.soonMinutes !== undefined;

/** The same tab and order without anything that narrows it down. */
export const withoutFilters = (query: SessionQuery): SessionQuery => ({
  ...query,
  text: '',
  user: '',
  device: '',
  resource: '',
  platform: undefined,
  states: [],
  soonMinutes: undefined,
});
