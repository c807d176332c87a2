import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import assert from 'node:assert/strict';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Keeps Chromium from calling home: this machine has no way out, and tests have no business there. */
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-default-apps',
  '--disable-domain-reliability',
  '--no-default-browser-check',
  '--no-pings',
  // Nothing but this machine itself has a name.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
];

/* What runs in the page is text: this workspace knows no DOM. */

const REPORT_POLICY = `document.addEventListener('securitypolicyviolation', (event) => {
  console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample);
});`;

/** How a page is looked at. */
export interface Look {
  readonly dark?: boolean;
  readonly width?: number;
  readonly height?: number;
}

/** What a page complains of: errors and warnings of its console, exceptions, and what the policy has stopped. */
export type Complaints = string[];

/** Debian's Chromium. */
export class TestBrowser {
  private constructor(private readonly browser: Browser) {}

  static async launch(): Promise<TestBrowser> {
    return new TestBrowser(await chromium.launch({ executablePath: '/usr/bin/chromium', args: QUIET }));
  }

  /** A fresh profile with one page, and what the page complains of. */
  async open(look: Look = {}): Promise<{ page: Page; context: BrowserContext; complaints: Complaints }> {
    const context = await this.browser.newContext({
      viewport: { width: look.width ?? 1280, height: look.height ?? 900 },
      colorScheme: look.dark === true ? 'dark' : 'light',
      reducedMotion: 'reduce',
      locale: 'en-GB',
      timezoneId: 'UTC',
    });
    const page = await context.newPage();
    const complaints: Complaints = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
    await page.addInitScript(REPORT_POLICY);
    return { page, context, complaints };
  }

  /**
   * Chromium may leave files of its own in the temporary folder, such as those of shared memory. Processes of it that end a
   * little later may still remove them.
   */
  async close(): Promise<void> {
    await this.browser.close();
    for (const name of readdirSync(tmpdir()).filter((one) => one.startsWith('.org.chromium.Chromium.')))
      if (statSync(join(tmpdir(), name), { throwIfNoEntry: false })?.isFile() === true)
        rmSync(join(tmpdir(), name), { force: true });
  }
}

/** Signs in on the page that is open, which is left where it was. */
export async function signIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByRole('textbox', { name: 'User name' }).fill(name);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor({ state: 'detached' });
}

/** No horizontal scrolling: the page is no wider than the window. */
export async function assertFits(page: Page): Promise<void> {
  const [content = 0, window = 0] = await page.evaluate<number[]>('[document.documentElement.scrollWidth, innerWidth]');
  assert.ok(content <= window, `the page is ${content} wide in a window of ${window}`);
}

const CUT_HEADERS = `[...document.querySelectorAll('th')]
  .filter((th) => th.getClientRects().length > 0)
  .filter((th) => [th, ...th.querySelectorAll('.pf-v6-c-table__text')].some((one) => one.scrollWidth > one.clientWidth + 1))
  .map((th) => th.textContent)`;

/** The headings of table columns that do not fit into their columns. */
export const cutHeaders = (page: Page): Promise<string[]> => page.evaluate<string[]>(CUT_HEADERS);

/** Whether the page is dark. */
export const isDark = (page: Page): Promise<boolean> =>
  page.evaluate<boolean>("document.documentElement.classList.contains('pf-v6-theme-dark')");

/** Resolves once nothing on the page is loading any more. */
export async function settled(page: Page): Promise<void> {
  await page.locator('[role=progressbar][aria-label^=Loading]').first().waitFor({ state: 'detached' });
}
