import { useSyncExternalStore } from 'react';
import type { InstantMs } from '@curfew/shared/browser';
import { useServices } from '../app/services.js';

/** The server's time, renewed every second by the one clock that all countdowns follow. */
export function useNow(): InstantMs {
  const { ticker } = useServices();
  return useSyncExternalStore(ticker.subscribe, ticker.now);
}
