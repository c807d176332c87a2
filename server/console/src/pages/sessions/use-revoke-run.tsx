import { useCallback, useState } from 'react';
import { useRefresh } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import type { SessionView } from '../../model/session.js';
import { matchingIds, RevokeRun } from './revoke-run.js';
import type { SessionQuery } from './session-query.js';

/** The revoke of several sessions that is under way, or was the last. */
export interface RevokeRunHook {
  readonly run: RevokeRun | undefined;
  readonly follow: (sessions: readonly SessionView[]) => void;
  /** Asks how those stand that are not confirmed, after changes may have been missed. */
  readonly catchUp: () => void;
  readonly revokeSome: (ids: readonly string[], reason: string) => void;
  readonly revokeMatching: (query: SessionQuery, expected: number, reason: string) => void;
  readonly closeRun: () => void;
}

/** Revokes, and follows what was revoked until it is confirmed. */
export function useRevokeRun(): RevokeRunHook {
  const { api } = useServices();
  const refresh = useRefresh();
  const [run, setRun] = useState<RevokeRun>();
  const begin = useCallback(
    (expected: number, ids: () => Promise<readonly string[]>, reason: string): void => {
      const next = new RevokeRun(expected);
      setRun(next);
      ids()
        .then((found) => next.revoke(api, found, reason))
        .catch((error: unknown) => next.fail(error))
        .finally(() => refresh(['SessionService/ListSessions', 'SessionService/GetSession']));
    },
    [api, refresh],
  );
  return {
    run,
    follow: useCallback((sessions: readonly SessionView[]) => run?.follow(sessions), [run]),
    catchUp: useCallback(() => void run?.lookUp(api), [run, api]),
    revokeSome: (ids, reason) => begin(ids.length, () => Promise.resolve(ids), reason),
    revokeMatching: (query, expected, reason) => begin(expected, () => matchingIds(api, query), reason),
    closeRun: () => setRun(undefined),
  };
}
