import { AxeBuilder } from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { assertFits, isDark, TestBrowser } from '../support/browser.js';
import { ConsoleHost } from '../support/console-host.js';
import { CONSOLE_PAGES } from '../support/console-pages.js';
import { PageVisits } from '../support/page-visits.js';

describe('every page of the console', function () {
  this.timeout(60_000);
  let host: ConsoleHost;
  let browser: TestBrowser;

  before(async () => {
    host = await ConsoleHost.start();
    browser = await TestBrowser.launch();
  });
  after(async () => {
    await browser.close();
    await host.close();
  });

  for (const dark of [false, true])
    describe(dark ? 'in the dark' : 'in the light', () => {
      let visits: PageVisits;
      before(() => (visits = new PageVisits(host, browser, { dark })));
      after(() => visits.close());

      for (const visited of CONSOLE_PAGES)
        it(`${visited.name} is accessible, and does nothing that the policy forbids`, async () => {
          const { page, complaints } = await visits.visit(visited);
          const { violations } = await new AxeBuilder({ page }).analyze();
          assert.deepEqual(
            violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`),
            [],
          );
          assert.deepEqual(complaints, []);
          assert.equal(await isDark(page), dark);
        });
    });

  describe('in a window of 360 px', () => {
    let visits: PageVisits;
    before(() => (visits = new PageVisits(host, browser, { width: 360, height: 740 })));
    after(() => visits.close());

    for (const visited of CONSOLE_PAGES)
      it(`${visited.name} needs no scrolling to the side`, async () => {
        const { page } = await visits.visit(visited);
        await assertFits(page);
      });
  });
});
