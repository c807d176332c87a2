import { createContext, useContext } from 'react';
import type { Clock, Random } from '@curfew/shared/browser';
import type { ApiClient } from '../api/api-client.js';
import type { AuthClient } from '../auth/auth-client.js';
import type { ServerClock } from '../clock/server-clock.js';
import type { Ticker } from '../clock/ticker.js';
import type { LinkStatus } from '../live/link-status.js';
import type { Toasts } from '../ui/toasts.js';

/** What the pages work with; built once in main.tsx. */
export interface Services {
  readonly api: ApiClient;
  readonly auth: AuthClient;
  readonly clock: Clock;
  readonly random: Pick<Random, 'fraction'>;
  readonly serverClock: ServerClock;
  readonly ticker: Ticker;
  readonly link: LinkStatus;
  readonly toasts: Toasts;
}

export const ServicesContext = createContext<Services | undefined>(undefined);

/** The services. Throws outside of the app. */
export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (services === undefined) throw new Error('used outside of the app');
  return services;
}
