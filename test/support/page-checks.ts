import { AxeBuilder } from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { cutHeaders, isDark, TestBrowser, type Look } from './browser.js';
import { ConsoleHost } from './console-host.js';
import { CONSOLE_PAGES } from './console-pages.js';
import { PageVisits } from './page-visits.js';

/** Visits every page in one look, by mocha's hooks: called inside of `describe`. Gives how a test visits a page. */
export function pageVisits(look: Look): () => PageVisits {
  let host: ConsoleHost;
  let browser: TestBrowser;
  let visits: PageVisits;

  before(async () => {
    host = await ConsoleHost.start();
    browser = await TestBrowser.launch();
    visits = new PageVisits(host, browser, look);
  });
  after(async () => {
    await visits.close();
    await browser.close();
    await host.close();
  });
  return () => visits;
}

/** Every page of the console in the light or in the dark, as tests of mocha. */
export function everyPageIsSound(dark: boolean): void {
  const visits = pageVisits({ dark });
  for (const visited of CONSOLE_PAGES)
    it(`${visited.name} is accessible, and does nothing that the policy forbids`, async () => {
      const { page, complaints } = await visits().visit(visited);
      const { violations } = await new AxeBuilder({ page }).analyze();
      assert.deepEqual(
        violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`),
        [],
      );
      assert.deepEqual(complaints, []);
      assert.equal(await isDark(page), dark);
      assert.deepEqual(await cutHeaders(page), []);
    });
}
