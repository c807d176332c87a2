import { assertFits } from '../support/browser.js';
import { CONSOLE_PAGES } from '../support/console-pages.js';
import { pageVisits } from '../support/page-checks.js';

describe('every page of the console in a window of 360 px', function () {
  this.timeout(60_000);
  const visits = pageVisits({ width: 360, height: 740 });

  for (const visited of CONSOLE_PAGES)
    it(`${visited.name} needs no scrolling to the side`, async () => {
      const { page } = await visits().visit(visited);
      await assertFits(page);
    });
});
