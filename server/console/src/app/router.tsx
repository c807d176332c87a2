import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  type RouterHistory,
} from '@tanstack/react-router';
import { SIGN_IN_PATH } from '../auth/sign-in-landing.js';
import { LandingPage } from '../auth/use-landing.js';
import { NotFoundPage } from './not-found-page.js';
import { definedOnly, textParam } from './page-search.js';
import { Root } from './root.js';

/** Search parameters that a page takes as they are typed into the address; each page reads them with its own schema. */
type AnySearch = Record<string, string>;

/** Keeps texts alone: everything else in an address is dropped. */
const anySearch = (search: Record<string, unknown>): AnySearch =>
  definedOnly(Object.fromEntries(Object.entries(search).map(([key, value]) => [key, textParam(value)]))) as AnySearch;

const root = createRootRoute({ component: Root, notFoundComponent: NotFoundPage });
const page = <P extends string>(path: P, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => root, path, component, validateSearch: anySearch });

const routes = [
  page(
    '/',
    lazyRouteComponent(() => import('../pages/overview/overview-page.js'), 'OverviewPage'),
  ),
  page(
    '/sessions',
    lazyRouteComponent(() => import('../pages/sessions/sessions-page.js'), 'SessionsPage'),
  ),
  page(
    '/sessions/$sessionId/recordings/$recordingId',
    lazyRouteComponent(() => import('../pages/replay/replay-page.js'), 'ReplayPage'),
  ),
  page(
    '/requests',
    lazyRouteComponent(() => import('../pages/requests/requests-page.js'), 'RequestsPage'),
  ),
  page(
    '/requests/$requestId',
    lazyRouteComponent(() => import('../pages/requests/request-page.js'), 'RequestPage'),
  ),
  page(
    '/my-access',
    lazyRouteComponent(() => import('../pages/my-access/my-access-page.js'), 'MyAccessPage'),
  ),
  page(
    '/devices',
    lazyRouteComponent(() => import('../pages/devices/devices-page.js'), 'DevicesPage'),
  ),
  page(
    '/devices/$deviceId',
    lazyRouteComponent(() => import('../pages/devices/device-page.js'), 'DevicePage'),
  ),
  page(
    '/resources',
    lazyRouteComponent(() => import('../pages/resources/resources-page.js'), 'ResourcesPage'),
  ),
  page(
    '/resources/$resourceId',
    lazyRouteComponent(() => import('../pages/resources/resource-page.js'), 'ResourcePage'),
  ),
  page(
    '/users',
    lazyRouteComponent(() => import('../pages/users/users-page.js'), 'UsersPage'),
  ),
  page(
    '/users/$userId',
    lazyRouteComponent(() => import('../pages/users/user-page.js'), 'UserPage'),
  ),
  page(
    '/policies',
    lazyRouteComponent(() => import('../pages/policies/policies-page.js'), 'PoliciesPage'),
  ),
  page(
    '/policies/$policyName',
    lazyRouteComponent(() => import('../pages/policies/policy-page.js'), 'PolicyPage'),
  ),
  page(
    '/audit',
    lazyRouteComponent(() => import('../pages/audit/audit-page.js'), 'AuditPage'),
  ),
  page(
    '/settings',
    lazyRouteComponent(() => import('../pages/settings/settings-page.js'), 'SettingsPage'),
  ),
  page(
    '/device',
    lazyRouteComponent(() => import('../pages/device-code/device-code-page.js'), 'DeviceCodePage'),
  ),
  // The others see the sign-in before any page.
  createRoute({ getParentRoute: () => root, path: SIGN_IN_PATH, component: LandingPage }),
] as const;

/** The pages and their addresses. */
export const createAppRouter = (history?: RouterHistory) =>
  createRouter({
    routeTree: root.addChildren(routes),
    defaultPreload: 'intent',
    scrollRestoration: true,
    defaultNotFoundComponent: NotFoundPage,
    ...(history === undefined ? {} : { history }),
  });

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
