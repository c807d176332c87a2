import type { QueryCache, QueryCacheNotifyEvent } from '@tanstack/react-query';
import { ApiError, wasRefused } from '../api/api-error.js';
import type { LinkStatus } from './link-status.js';

type Query = QueryCacheNotifyEvent['query'];

/**
 * Has the header say that what is shown may be old while what is asked for again and again has no answer, or is refused.
 * What was lost is asked for anew as soon as anything else is answered.
 */
export function markLostReads(cache: Pick<QueryCache, 'subscribe'>, link: LinkStatus): void {
  const lost = new Set<Query>();
  const forget = (query: Query): void => {
    lost.delete(query);
    link.forget(query);
  };
  const failed = (query: Query, error: unknown): void => {
    if (query.state.data === undefined) {
      // Nothing old is shown: the page tells of the error.
      forget(query);
      return;
    }
    link.follow(query, wasRefused(error) ? 'refused' : 'broken');
    if (error instanceof ApiError && error.code === 'CONNECTION_LOST') lost.add(query);
    else lost.delete(query);
  };
  cache.subscribe((event) => {
    const { query } = event;
    if (event.type === 'removed' || (event.type === 'observerRemoved' && query.getObserversCount() === 0)) {
      forget(query);
    } else if (event.type === 'updated') {
      const { action } = event;
      if (action.type === 'failed') link.letGo(query);
      else if (action.type === 'error') failed(query, action.error);
      else if (action.type === 'success') {
        forget(query);
        for (const other of lost) other.fetch().catch(() => undefined);
      }
    }
  });
}
