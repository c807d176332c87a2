import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { watch } from '../api/watch.js';
import { useServices } from '../app/services.js';
import { nextFrame } from '../clock/browser-clock.js';
import type { WatchMethods } from '../gen/api.js';
import { LiveCollection, type LivePicture } from './live-collection.js';
import { whileVisible } from './link-visibility.js';

/** How the messages of a watch become a collection. Define it outside of the component: it is read once. */
export interface LiveShape<M extends keyof WatchMethods, T> {
  /** The thing in a message, or undefined in the mark that the picture is whole. */
  readonly itemOf: (message: WatchMethods[M]['response']) => T | undefined;
  readonly idOf: (item: T) => string;
  /** Whether the thing still belongs in the collection. Absent: always. */
  readonly keeps?: (item: T) => boolean;
}

/**
 * A collection that follows the server without a reload: reconnected when the link breaks, whole again afterwards,
 * drawn at most once per frame. A changed request begins a new collection; undefined watches nothing.
 */
export function useLive<M extends keyof WatchMethods, T>(
  method: M,
  request: WatchMethods[M]['request'] | undefined,
  shape: LiveShape<M, T>,
): LivePicture<T> {
  const { api, clock, random, link } = useServices();
  const shapeRef = useRef(shape);
  const key = request === undefined ? undefined : JSON.stringify(request);
  const collection = useMemo(() => {
    const { idOf, keeps } = shapeRef.current;
    return new LiveCollection<T>(idOf, nextFrame, keeps);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- another question is another collection
  }, [key]);

  useEffect(() => {
    if (key === undefined) return undefined;
    const asked = JSON.parse(key) as WatchMethods[M]['request'];
    const mine = {};
    const stop = whileVisible(document, clock, () => {
      const stopWatch = watch({ api, clock, random }, method, asked, {
        onStart: () => collection.begin(),
        onMessage: (message) => {
          const item = shapeRef.current.itemOf(message);
          if (item !== undefined) collection.put(item);
          else if (isMark(message)) collection.complete();
        },
        onState: (state, error) => {
          link.follow(mine, state);
          if (state === 'broken') collection.markStale();
          if (state === 'refused' && error !== undefined) collection.refuse(error);
        },
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
  }, [api, clock, random, link, method, key, collection]);

  return useSyncExternalStore(collection.subscribe, collection.current);
}

const isMark = (message: object): boolean => 'synced' in message && message.synced === true;
