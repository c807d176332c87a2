import { PASSWORD } from '@curfew/console/fake-api';
import type { Page } from 'playwright-core';
import { signIn, TestBrowser } from './browser.js';
import { ConsoleHost, type ConsoleHostOptions } from './console-host.js';

/** The console before a fake API that is new for each test, in one browser for all of them. */
export interface ConsoleStage {
  /** Of the test that runs. */
  readonly host: ConsoleHost;
  /** Opens a path in a browser context of its own, signed in as a user of the fake API. Closed after the test. */
  readonly open: (path: string, as?: string) => Promise<Page>;
  /** Puts a host that is filled otherwise in the place of the test's. */
  readonly refill: (options: ConsoleHostOptions) => Promise<void>;
}

/** Sets a stage up by mocha's hooks: called inside of `describe`, before its tests. */
export function consoleStage(): ConsoleStage {
  let host: ConsoleHost;
  let browser: TestBrowser;
  const opened: { close(): Promise<void> }[] = [];

  before(async () => {
    browser = await TestBrowser.launch();
  });
  after(() => browser.close());
  beforeEach(async () => {
    host = await ConsoleHost.start();
  });
  afterEach(async () => {
    for (const context of opened.splice(0)) await context.close();
    await host.close();
  });

  return {
    get host() {
      return host;
    },
    async open(path, as = 'alice') {
      const { page, context } = await browser.open();
      opened.push(context);
      await page.goto(host.address + path);
      await signIn(page, as, PASSWORD);
      return page;
    },
    async refill(options) {
      await host.close();
      host = await ConsoleHost.start(options);
    },
  };
}
