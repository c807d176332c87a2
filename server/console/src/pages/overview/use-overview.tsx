import { useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { useApiQuery } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import type { GetOverviewResponseJson } from '../../gen/api.js';
import { Throttle } from '../../live/throttle.js';
import { useChanges } from '../../live/use-changes.js';
import { sessionKindToProto, sessionStateToProto } from '../../model/session.js';

const OVERVIEW = 'ServerService/GetOverview';
const SESSIONS = 'SessionService/ListSessions';

const ENDING_ACCESS = {
  filter: { kind: sessionKindToProto('timed_access'), states: [sessionStateToProto('ending')] },
  pageSize: 1,
};

/** What changes with time alone, such as devices that fall silent, is asked for this often. */
const INTERVAL_MS = 15_000;

/** The overview, asked for again soon after a session or a request has changed. */
export function useOverview(): UseQueryResult<GetOverviewResponseJson> {
  const { clock } = useServices();
  const client = useQueryClient();
  const refresh = useMemo(
    () =>
      new Throttle(clock, 200, 900, () => {
        void client.invalidateQueries({ queryKey: [OVERVIEW] });
        void client.invalidateQueries({ queryKey: [SESSIONS, ENDING_ACCESS] });
      }),
    [clock, client],
  );
  useEffect(() => () => refresh.stop(), [refresh]);
  const ask = (): void => refresh.ask();
  useChanges('SessionService/WatchSessions', { changesOnly: true }, { onMessage: ask, onRestart: ask });
  useChanges('RequestService/WatchAccessRequests', {}, { onMessage: ask, onRestart: ask });
  return useApiQuery(OVERVIEW, {}, { refetchIntervalMs: INTERVAL_MS });
}

/** How many sessions of timed access are ending and not confirmed by their resource. */
export const useEndingAccess = (): number =>
  useApiQuery(SESSIONS, ENDING_ACCESS, { refetchIntervalMs: INTERVAL_MS }).data?.totalSize ?? 0;
