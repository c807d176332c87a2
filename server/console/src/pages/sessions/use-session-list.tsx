import { durationMs, type SessionKind } from '@curfew/shared/browser';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useServices } from '../../app/services.js';
import type { WatchSessionsRequestJson } from '../../gen/api.js';
import { nextFrame } from '../../clock/browser-clock.js';
import { Throttle } from '../../live/throttle.js';
import { useChanges } from '../../live/use-changes.js';
import { sessionFromProto, sessionKindToProto, type SessionView } from '../../model/session.js';
import { afterChange, afterListing, afterTime, NO_ROWS, shownRows, type LiveRows } from './live-rows.js';
import { listRequest, type SessionQuery } from './session-query.js';

const LIST = 'SessionService/ListSessions';

/** Every change is told, ended ones too; the lists themselves are fetched page by page. */
const CHANGES: WatchSessionsRequestJson = { changesOnly: true };

/** After a change the list is asked for again this soon, and then at most this often. */
const SOON_MS = 150;
const INTERVAL_MS = 900;

/** The page of sessions that is shown. */
export interface SessionList {
  readonly rows: readonly SessionView[];
  readonly total: number;
  /** Whether that is of these filters; until the server has answered it is of those before. */
  readonly isTotalKnown: boolean;
  readonly nextPageToken: string;
  readonly isPending: boolean;
  readonly error: Error | null;
  readonly refetch: () => void;
}

/** What the list hears of all sessions, those of other pages too. */
export interface SessionListEvents {
  readonly onChanges: (sessions: readonly SessionView[]) => void;
  /** Changes may have been missed. */
  readonly onRestart: () => void;
}

/** One page of sessions, kept up to date: changed rows at once, the rest of the list within a second. */
export function useSessionList(
  query: SessionQuery,
  pageSize: number,
  pageToken: string,
  { onChanges, onRestart }: SessionListEvents,
): SessionList {
  const { api, clock, serverClock } = useServices();
  const client = useQueryClient();
  const request = listRequest(query, pageSize, pageToken);
  const scope = JSON.stringify(request);
  const [live, setLive] = useState<{ readonly scope: string; readonly rows: LiveRows }>({ scope, rows: NO_ROWS });
  const showsEnded = query.states.includes('ended');

  const list = useQuery({
    queryKey: [LIST, request],
    queryFn: ({ signal }) => api.ask(LIST, request, signal),
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
  const { data, isPlaceholderData } = list;
  useEffect(() => {
    if (data === undefined || isPlaceholderData) return;
    const listed = (data.sessions ?? []).map(sessionFromProto);
    setLive((before) => ({
      scope,
      rows: afterListing(before.scope === scope ? before.rows : NO_ROWS, listed, serverClock.now()),
    }));
  }, [data, isPlaceholderData, scope, serverClock]);

  const refresh = useMemo(
    () => new Throttle(clock, SOON_MS, INTERVAL_MS, () => void client.invalidateQueries({ queryKey: [LIST] })),
    [clock, client],
  );
  useEffect(() => () => refresh.stop(), [refresh]);

  // Changes that come together are shown together: one drawing per frame.
  const waiting = useRef<SessionView[]>([]);
  const flush = useCallback(() => {
    const changes = waiting.current;
    waiting.current = [];
    const now = serverClock.now();
    setLive((before) => ({
      ...before,
      rows: changes.reduce((rows, session) => afterChange(rows, session, now, showsEnded), before.rows),
    }));
    onChanges(changes);
    refresh.ask();
  }, [serverClock, showsEnded, onChanges, refresh]);
  useChanges('SessionService/WatchSessions', CHANGES, {
    onMessage: ({ session }) => {
      if (session === undefined) return;
      if (waiting.current.length === 0) nextFrame(flush);
      waiting.current.push(sessionFromProto(session));
    },
    onRestart: () => {
      void client.invalidateQueries({ queryKey: [LIST] });
      onRestart();
    },
  });

  // Those that have ended go after a while.
  useEffect(() => {
    const next = live.rows.lingering.map(({ untilMs }) => untilMs).reduce((a, b) => Math.min(a, b), Infinity);
    if (next === Infinity) return undefined;
    return clock.after(durationMs(Math.max(50, next - serverClock.now())), () => {
      setLive((before) => ({ ...before, rows: afterTime(before.rows, serverClock.now()) }));
    });
  }, [live, clock, serverClock]);
  const rows = useMemo(() => shownRows(live.rows), [live]);
  return {
    rows,
    total: data?.totalSize ?? 0,
    isTotalKnown: data !== undefined && !isPlaceholderData,
    nextPageToken: data?.nextPageToken ?? '',
    isPending: list.isPending,
    error: list.error,
    refetch: () => void list.refetch(),
  };
}

/** How many sessions of a kind have not ended. Undefined until it is known. */
export function useSessionCount(kind: SessionKind): number | undefined {
  const { api } = useServices();
  const request = { filter: { kind: sessionKindToProto(kind) }, pageSize: 1 };
  const count = useQuery({
    queryKey: [LIST, request],
    queryFn: ({ signal }) => api.ask(LIST, request, signal),
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
  return count.data === undefined ? undefined : (count.data.totalSize ?? 0);
}
