import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { useServices } from '../app/services.js';
import type { CallMethods, WatchMethods } from '../gen/api.js';
import { Throttle } from './throttle.js';
import { useChanges } from './use-changes.js';

/** After a change it is asked again this soon, and then at most this often. */
const SOON_MS = 150;
const INTERVAL_MS = 900;

/** A watch, and which of its messages count. */
export interface RefreshOn<M extends keyof WatchMethods> {
  readonly method: M;
  readonly request: WatchMethods[M]['request'];
  /** Absent: every message. */
  readonly concerns?: (message: WatchMethods[M]['response']) => boolean;
}

/** Has the kept answers of a method, or of several, asked for again soon after a change that a watch tells of. */
export function useRefreshOn<M extends keyof WatchMethods>(
  { method, request, concerns }: RefreshOn<M>,
  refreshes: keyof CallMethods | readonly (keyof CallMethods)[],
): void {
  const { clock } = useServices();
  const client = useQueryClient();
  const refresh = useMemo(
    () =>
      new Throttle(clock, SOON_MS, INTERVAL_MS, () => {
        for (const refreshed of [refreshes].flat()) void client.invalidateQueries({ queryKey: [refreshed] });
      }),
    [clock, client, refreshes],
  );
  useEffect(() => () => refresh.stop(), [refresh]);
  useChanges(method, request, {
    onMessage: (message) => {
      if (concerns?.(message) !== false) refresh.ask();
    },
    onRestart: () => refresh.ask(),
  });
}
