import { PASSWORD } from '@curfew/console/fake-api';
import type { Page } from 'playwright-core';
import { signIn, type Complaints, type Look, type TestBrowser } from './browser.js';
import type { ConsoleHost } from './console-host.js';
import type { ConsolePage } from './console-pages.js';

/** Visits pages in one look; whoever visits signs in once, and is forgotten at the end. */
export class PageVisits {
  private readonly visitors = new Map<string, { readonly page: Page; readonly complaints: Complaints }>();
  private readonly undo: (() => Promise<void>)[] = [];

  constructor(
    private readonly host: ConsoleHost,
    private readonly browser: TestBrowser,
    private readonly look: Look,
  ) {}

  /** The page, ready, and what it has complained of since it was opened. */
  async visit({ as, path, ready }: ConsolePage): Promise<{ readonly page: Page; readonly complaints: Complaints }> {
    const visitor = await this.visitor(as, path(this.host.api));
    await ready(visitor.page);
    await visitor.page.evaluate('document.fonts.ready');
    return { page: visitor.page, complaints: visitor.complaints.splice(0) };
  }

  async close(): Promise<void> {
    for (const undo of this.undo.splice(0)) await undo();
    this.visitors.clear();
  }

  private async visitor(
    as: string | undefined,
    path: string,
  ): Promise<{ readonly page: Page; readonly complaints: Complaints }> {
    const known = this.visitors.get(as ?? '');
    if (known !== undefined) {
      await known.page.goto(this.host.address + path);
      return known;
    }
    const { page, context, complaints } = await this.browser.open(this.look);
    this.undo.push(() => context.close());
    await page.goto(this.host.address + path);
    if (as !== undefined) await signIn(page, as, PASSWORD);
    this.visitors.set(as ?? '', { page, complaints });
    return { page, complaints };
  }
}
