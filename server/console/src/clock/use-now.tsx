import { useEffect, useState } from 'react';
import type { InstantMs } from '@curfew/shared/browser';
import { useServices } from '../app/services.js';

/**
 * The server's time, renewed every second by the one clock that all countdowns follow. It is state and no external
 * store: a tick of a store that comes while React draws a long list in pieces would have it draw the whole at once.
 */
export function useNow(): InstantMs {
  const { ticker } = useServices();
  const [now, setNow] = useState(ticker.now);
  useEffect(() => {
    const show = (): void => setNow(ticker.now());
    const stop = ticker.subscribe(show);
    show();
    return stop;
  }, [ticker]);
  return now;
}
