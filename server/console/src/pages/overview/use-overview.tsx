import type { UseQueryResult } from '@tanstack/react-query';
import { useApiQuery } from '../../api/use-api.js';
import type { GetOverviewResponseJson } from '../../gen/api.js';
import { useRefreshOn } from '../../live/use-refresh-on.js';

const OVERVIEW = 'ServerService/GetOverview';

/** What changes with time alone, such as devices that fall silent, is asked for this often. */
const INTERVAL_MS = 15_000;

/** The overview, asked for again soon after a session or a request has changed. */
export function useOverview(): UseQueryResult<GetOverviewResponseJson> {
  useRefreshOn({ method: 'SessionService/WatchSessions', request: { changesOnly: true } }, OVERVIEW);
  useRefreshOn({ method: 'RequestService/WatchAccessRequests', request: {} }, OVERVIEW);
  return useApiQuery(OVERVIEW, {}, { refetchIntervalMs: INTERVAL_MS });
}
