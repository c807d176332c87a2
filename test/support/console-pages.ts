import type { FakeApi } from '@curfew/console/fake-api';
import type { Page } from 'playwright-core';
import { settled } from './browser.js';

/** A page of the console, as the tests of every page and the pictures visit it. */
export interface ConsolePage {
  readonly name: string;
  readonly path: (api: FakeApi) => string;
  /** Who looks at it. Undefined: nobody is signed in. */
  readonly as: string | undefined;
  /** Resolves once the page shows what it has. */
  readonly ready: (page: Page) => Promise<void>;
}

const heading =
  (name: string) =>
  async (page: Page): Promise<void> => {
    await page.getByRole('heading', { level: 1, name }).waitFor();
    await settled(page);
  };

const row =
  (text: string) =>
  async (page: Page): Promise<void> => {
    await page.getByText(text).first().waitFor();
  };

const idOf = <T extends { readonly id?: string }>(things: Iterable<T>, is: (thing: T) => boolean): string =>
  [...things].find(is)?.id ?? '';

/** The replay of the command on web-1 whose line has the text. */
const replayPath =
  (command: string) =>
  ({ world }: FakeApi): string => {
    const { id = '', sessionId = '' } =
      [...world.recordings.values()]
        .map(({ recording }) => recording)
        .find((recording) => recording.arguments?.join(' ').includes(command) === true) ?? {};
    return `/sessions/${sessionId}/recordings/${id}`;
  };

/** Every page, and states of pages that look different. */
export const CONSOLE_PAGES: readonly ConsolePage[] = [
  { name: 'sign-in', path: () => '/sessions', as: undefined, ready: heading('Sign in') },
  { name: 'choose-password', path: () => '/', as: 'newcomer', ready: heading('Choose a password') },
  { name: 'overview', path: () => '/', as: 'alice', ready: heading('Overview') },
  { name: 'sessions', path: () => '/sessions', as: 'alice', ready: row('web-1') },
  { name: 'sessions-timed-access', path: () => '/sessions?tab=timed-access', as: 'alice', ready: row('reporting-db') },
  {
    name: 'sessions-no-match',
    path: () => '/sessions?q=nobody-is-called-this',
    as: 'alice',
    ready: row('No session matches'),
  },
  {
    name: 'session-details',
    path: ({ world }) =>
      `/sessions?session=${idOf(world.sessions.values(), ({ deviceName, state }) => deviceName === 'web-1' && state === 'SESSION_STATE_ACTIVE')}`,
    as: 'alice',
    ready: row('Ends at the latest'),
  },
  {
    name: 'session-commands',
    path: ({ world }) =>
      `/sessions?session=${idOf(world.sessions.values(), ({ deviceName, state }) => deviceName === 'db-1' && state === 'SESSION_STATE_ACTIVE')}`,
    as: 'erin',
    ready: async (page) => {
      await row('part_0001')(page);
      await page.getByText('part_0002').scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'replay',
    path: replayPath('-bash'),
    as: 'alice',
    ready: async (page) => {
      await page.getByRole('textbox', { name: 'Search in the output' }).fill('97.4');
      await page.getByText('1 found').first().waitFor();
      await page.keyboard.press('Enter');
      await page.getByRole('group', { name: 'Terminal' }).getByText('postgres').first().waitFor();
    },
  },
  {
    name: 'replay-live',
    path: replayPath('journalctl'),
    as: 'alice',
    ready: async (page) => {
      await row('live')(page);
      // The first lines have left the window when somebody looks later: it goes on writing.
      await page.getByRole('group', { name: 'Terminal' }).getByText('GET /page/').first().waitFor();
    },
  },
  { name: 'replay-refused', path: replayPath('visudo'), as: 'alice', ready: row('sudo refused to run the command') },
  { name: 'replay-lost', path: replayPath('zcat'), as: 'alice', ready: row('10.5 MB are missing') },
  { name: 'replay-as-viewer', path: replayPath('-bash'), as: 'erin', ready: row('You may not watch recordings') },
  { name: 'requests', path: () => '/requests', as: 'alice', ready: row('look at the slow query log') },
  { name: 'requests-history', path: () => '/requests?tab=history', as: 'alice', ready: heading('Requests') },
  { name: 'requests-reviews', path: () => '/requests?tab=reviews', as: 'alice', ready: heading('Requests') },
  {
    name: 'request',
    path: ({ world }) => `/requests/${idOf(world.requests.values(), ({ reason }) => reason === 'restart nginx')}`,
    as: 'alice',
    ready: row('restart nginx'),
  },
  { name: 'my-access', path: () => '/my-access', as: 'dave', ready: heading('My access') },
  { name: 'devices', path: () => '/devices', as: 'alice', ready: row('laptop-carol') },
  { name: 'devices-join-tokens', path: () => '/devices?tab=join-tokens', as: 'alice', ready: heading('Devices') },
  { name: 'device', path: () => '/devices/web-1', as: 'alice', ready: heading('web-1') },
  { name: 'resources', path: () => '/resources', as: 'alice', ready: row('wiki-admins') },
  { name: 'resources-connectors', path: () => '/resources?tab=connectors', as: 'alice', ready: row('failing since') },
  { name: 'resources-as-viewer', path: () => '/resources?q=wiki', as: 'erin', ready: row('wiki-admins') },
  {
    name: 'resource',
    path: () => '/resources/wiki-admins',
    as: 'alice',
    ready: async (page) => {
      await heading('wiki-admins')(page);
      await page.getByText('added by hand').first().waitFor();
    },
  },
  {
    name: 'resource-failing',
    path: () => '/resources/billing-export',
    as: 'erin',
    ready: row('It does not answer since'),
  },
  {
    name: 'session-details-timed-access',
    path: ({ world }) =>
      `/sessions?tab=timed-access&session=${idOf(world.sessions.values(), ({ resourceName, state }) => resourceName === 'billing-export' && state === 'SESSION_STATE_ENDING')}`,
    as: 'alice',
    ready: row('It said last'),
  },
  { name: 'users', path: () => '/users', as: 'alice', ready: row('carol') },
  { name: 'user', path: () => '/users/carol', as: 'alice', ready: heading('carol') },
  { name: 'policies', path: () => '/policies', as: 'alice', ready: row('production') },
  { name: 'policy', path: () => '/policies/production', as: 'alice', ready: heading('production') },
  { name: 'audit', path: () => '/audit', as: 'alice', ready: heading('Audit') },
  { name: 'settings', path: () => '/settings', as: 'alice', ready: heading('Settings') },
  {
    name: 'settings-notifications',
    path: () => '/settings?tab=notifications',
    as: 'alice',
    ready: row('connection refused'),
  },
  { name: 'settings-server', path: () => '/settings?tab=server', as: 'owner', ready: row('CA fingerprint') },
  { name: 'settings-tokens', path: () => '/settings?tab=tokens', as: 'owner', ready: row('backup script') },
  { name: 'my-access-resources', path: () => '/my-access?tab=resources', as: 'dave', ready: row('billing-export') },
  {
    name: 'policies-explain',
    path: () => '/policies?tab=explain&user=carol&device=web-1&for=1h',
    as: 'erin',
    ready: row('Yes, it may be asked for'),
  },
  { name: 'policies-text', path: () => '/policies?tab=text', as: 'alice', ready: row('Save as a file') },
  {
    name: 'policy-versions',
    path: () => '/policies/production?tab=versions',
    as: 'erin',
    ready: row('holds now'),
  },
  { name: 'policy-as-viewer', path: () => '/policies/production', as: 'erin', ready: row('Who decides') },
  { name: 'device-code', path: () => '/device?code=ABCD-EFGH', as: 'alice', ready: heading('Sign in a command line') },
  { name: 'not-found', path: () => '/nowhere', as: 'alice', ready: row('There is no page here') },
];
