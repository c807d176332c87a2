import { useEffect, useRef } from 'react';
import { watch } from '../api/watch.js';
import { useServices } from '../app/services.js';
import type { WatchMethods } from '../gen/api.js';
import { whileVisible } from './link-visibility.js';

/** What becomes of the messages. */
export interface ChangeEvents<M extends keyof WatchMethods> {
  readonly onMessage: (message: WatchMethods[M]['response']) => void;
  /** The stream begins again: what changed meanwhile is not told, so everything shown must be asked for again. */
  readonly onRestart: () => void;
}

/** Follows a method that goes on answering, for a list that is fetched page by page. Reconnects by itself. */
export function useChanges<M extends keyof WatchMethods>(
  method: M,
  request: WatchMethods[M]['request'],
  events: ChangeEvents<M>,
): void {
  const { api, clock, random, link } = useServices();
  const eventsRef = useRef(events);
  useEffect(() => {
    eventsRef.current = events;
  });
  const key = JSON.stringify(request);
  useEffect(() => {
    const mine = {};
    const stop = whileVisible(document, clock, () => {
      const stopWatch = watch({ api, clock, random }, method, JSON.parse(key) as WatchMethods[M]['request'], {
        // The mark comes once the server follows: what is asked for from then on misses nothing.
        onStart: () => undefined,
        onMessage: (message) => {
          if ('synced' in message && message.synced) eventsRef.current.onRestart();
          else eventsRef.current.onMessage(message);
        },
        onState: (state) => link.follow(mine, state),
      });
      return () => {
        stopWatch();
        link.letGo(mine);
      };
    });
    return () => {
      stop();
      link.forget(mine);
    };
  }, [api, clock, random, link, method, key]);
}
