import type { UseQueryResult } from '@tanstack/react-query';
import { useApiQuery } from '../../api/use-api.js';
import type { GetOverviewResponseJson } from '../../gen/api.js';
import { useRefreshOn } from '../../live/use-refresh-on.js';
import { sessionKindToProto, sessionStateToProto } from '../../model/session.js';

const OVERVIEW = 'ServerService/GetOverview';
const SESSIONS = 'SessionService/ListSessions';

const ENDING_ACCESS = {
  filter: { kind: sessionKindToProto('timed_access'), states: [sessionStateToProto('ending')] },
  pageSize: 1,
};

const REFRESHED = [OVERVIEW, SESSIONS] as const;

/** What changes with time alone, such as devices that fall silent, is asked for this often. */
const INTERVAL_MS = 15_000;

/** The overview, asked for again soon after a session or a request has changed. */
export function useOverview(): UseQueryResult<GetOverviewResponseJson> {
  useRefreshOn({ method: 'SessionService/WatchSessions', request: { changesOnly: true } }, REFRESHED);
  useRefreshOn({ method: 'RequestService/WatchAccessRequests', request: {} }, REFRESHED);
  return useApiQuery(OVERVIEW, {}, { refetchIntervalMs: INTERVAL_MS });
}

/** How many sessions of timed access are ending and not confirmed by their resource. Undefined until it is known. */
export function useEndingAccess(): number | undefined {
  const { data } = useApiQuery(SESSIONS, ENDING_ACCESS, { refetchIntervalMs: INTERVAL_MS });
  return data === undefined ? undefined : (data.totalSize ?? 0);
}
