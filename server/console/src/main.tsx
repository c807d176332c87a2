import '@patternfly/react-core/dist/styles/base.css';
import './app/app.css';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiClient } from './api/api-client.js';
import { ApiError } from './api/api-error.js';
import { createAppRouter } from './app/router.js';
import { ServicesContext, type Services } from './app/services.js';
import { AuthClient } from './auth/auth-client.js';
import { AUTH_KEY } from './auth/auth-actions.js';
import { browserClock, browserRandom } from './clock/browser-clock.js';
import { ServerClock } from './clock/server-clock.js';
import { Ticker } from './clock/ticker.js';
import { LinkStatus } from './live/link-status.js';
import { markLostReads } from './live/mark-lost-reads.js';
import { showTheme, storedTheme } from './theme/theme.js';
import { Toasts } from './ui/toasts.js';

/** Questions are asked again after a lost connection, never after a refusal. */
const queries = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (count, error) => error instanceof ApiError && error.code === 'CONNECTION_LOST' && count < 3,
      networkMode: 'always',
      staleTime: 5_000,
    },
    mutations: { networkMode: 'always' },
  },
});

const serverClock = new ServerClock(browserClock);
const api = new ApiClient({
  fetch: (input, init) => fetch(input, init),
  clock: browserClock,
  onDate: (date, sent, received) => serverClock.observe(date, sent, received),
  onOtherCaller: () => void queries.invalidateQueries({ queryKey: AUTH_KEY }),
});
const services: Services = {
  api,
  auth: new AuthClient(api),
  clock: browserClock,
  random: browserRandom,
  serverClock,
  ticker: new Ticker(browserClock, serverClock, () => {
    void queries.invalidateQueries({ queryKey: ['ServerService/GetServerInfo'] });
  }),
  link: new LinkStatus(() => serverClock.now()),
  toasts: new Toasts(),
};

markLostReads(queries.getQueryCache(), services.link);
showTheme(storedTheme());
const place = document.getElementById('root');
if (place === null) throw new Error('the page has no root');
createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <ServicesContext value={services}>
        <RouterProvider router={createAppRouter()} />
      </ServicesContext>
    </QueryClientProvider>
  </StrictMode>,
);
