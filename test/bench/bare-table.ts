import type { BrowserContext, Page } from 'playwright-core';

/* What runs in the page is text: this workspace knows no DOM. */

const SHOW = `async (body) => {
  const began = performance.now();
  const headers = { 'content-type': 'application/json', 'x-curfew': 'console' };
  const answer = await fetch('/api/curfew.admin.v1.SessionService/ListSessions', { method: 'POST', headers, body, cache: 'no-store' });
  const { sessions = [] } = await answer.json();
  const table = document.createElement('table');
  for (const { userName, deviceName, expireTime, state, createTime, reason } of sessions) {
    const row = table.insertRow();
    for (const text of [userName, deviceName, expireTime, state, createTime, reason]) row.insertCell().textContent = text;
  }
  document.body.replaceChildren(table);
  document.body.getBoundingClientRect();
  return performance.now() - began;
}`;

/** The least that a page can do: it asks for rows and lays them out as plain text. */
export class BareTable {
  private constructor(private readonly page: Page) {}

  /** A page of the same browser and site, whose visitor is signed in. */
  static async open(context: BrowserContext, site: string): Promise<BareTable> {
    const page = await context.newPage();
    const empty = { contentType: 'text/html', body: '<!doctype html><title>bare</title><body>' };
    await page.route(`${site}/bare`, (route) => route.fulfill(empty));
    await page.goto(`${site}/bare`);
    return new BareTable(page);
  }

  /** How long the answer to a list request takes to be laid out, in milliseconds. */
  show(request: string): Promise<number> {
    return this.page.evaluate<number>(`(${SHOW})(${JSON.stringify(request)})`);
  }
}
