import { AxeBuilder } from '@axe-core/playwright';
import { setHealth } from '@curfew/console/fake-api';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Locator, Page } from 'playwright-core';
import { consoleStage } from '../support/console-stage.js';
import { eventually } from '../support/wait.js';

const WITHIN = { withinMs: 15_000 };
const TAB = '/sessions?tab=timed-access';

describe('Timed Access in a browser', function () {
  this.timeout(60_000);
  const stage = consoleStage();
  const { open } = stage;
  const sessionOf = (user: string, resource: string) =>
    [...stage.host.api.world.sessions.values()].find(
      ({ userName, resourceName, state }) =>
        userName === user && resourceName === resource && state !== 'SESSION_STATE_ENDED',
    );
  const has = (resource: string, subject: string): boolean => {
    const id = [...stage.host.api.world.resources.values()].find(({ name }) => name === resource)?.id ?? '';
    return stage.host.api.world.members.get(id)?.has(subject) === true;
  };
  const row = (page: Page, user: string, resource: string): Locator =>
    page.getByRole('row').filter({ has: page.getByRole('checkbox', { name: `Select ${user} on ${resource}` }) });
  const revokeTicked = async (page: Page, count: number, reason: string): Promise<Locator> => {
    await page.getByRole('button', { name: 'Actions', exact: true }).click();
    await page.getByRole('menuitem', { name: `Revoke ${count} selected…` }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Reason' }).fill(reason);
    return dialog;
  };

  it('shows who has what, for how long, and what a resource has not confirmed', async () => {
    const page = await open(TAB);
    const figures = row(page, 'dave', 'reporting-db');
    await figures.getByText('8 h', { exact: true }).waitFor();
    await figures.getByText('active').waitFor();
    await row(page, 'alice', 'billing-export').getByText('revoking').waitFor();
    await row(page, 'alice', 'billing-export')
      .getByText(/the resource has not confirmed since .+, next try/)
      .waitFor();
    await row(page, 'alice', 'billing-export').getByRole('button', { name: 'alice', exact: true }).click();
    await page.getByText('connect ECONNREFUSED 10.0.3.7:443').waitFor();
  });

  it('revokes what is ticked, row by row until each resource has confirmed', async () => {
    const page = await open(TAB);
    const [figures, invoices] = [sessionOf('dave', 'reporting-db'), sessionOf('frank', 'billing-export')];
    assert.ok(has('reporting-db', 'dave'));
    await page.getByRole('checkbox', { name: 'Select dave on reporting-db' }).check();
    await page.getByRole('checkbox', { name: 'Select frank on billing-export' }).check();
    const dialog = await revokeTicked(page, 2, 'the audit is over');
    for (const text of ['dave to reporting-db', 'frank to billing-export', 'The access of 2 people ends now'])
      await dialog.getByText(text).first().waitFor();
    // What has ended stays for some seconds alone: it is waited for from before it ends.
    await Promise.all([
      row(page, 'dave', 'reporting-db').getByText('revoked · confirmed').waitFor(),
      dialog.getByRole('button', { name: 'Revoke 2 sessions' }).click(),
    ]);
    await row(page, 'frank', 'billing-export')
      .getByText(/the resource has not confirmed since/)
      .waitFor();
    await page.getByText('1 confirmed by the resource · 1 waiting for a resource that does not answer').waitFor();
    const stateOf = (id: string | undefined) => stage.host.api.world.sessions.get(id ?? '')?.state;
    assert.deepEqual([stateOf(figures?.id), stateOf(invoices?.id)], ['SESSION_STATE_ENDED', 'SESSION_STATE_ENDING']);
    assert.equal(has('reporting-db', 'dave'), false, 'it is gone from the resource');
    assert.equal(has('billing-export', 'frank'), true, 'what has not answered has it still');

    setHealth(stage.host.api.world, 'billing', 'well');
    await page.getByText('2 confirmed by the resource').waitFor();
    assert.equal(has('billing-export', 'frank'), false);
  });

  it('shows in another browser what happens, and lengthens a session', async () => {
    const [page, other] = [await open(TAB), await open(`${TAB}&soon=15`, 'bob')];
    await row(other, 'frank', 'billing-export').waitFor();
    await row(other, 'dave', 'reporting-db').waitFor({ state: 'detached' });
    const before = sessionOf('frank', 'billing-export');
    await row(page, 'frank', 'billing-export')
      .getByRole('button', { name: /^Actions for frank/ })
      .click();
    await page.getByRole('menuitem', { name: 'Extend…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('frank with billing-export').waitFor();
    await dialog.getByRole('button', { name: '1h', exact: true }).click();
    await dialog.getByRole('button', { name: 'Extend by 1 h' }).click();
    await row(page, 'frank', 'billing-export').getByText('3 h', { exact: true }).waitFor();
    await row(other, 'frank', 'billing-export').waitFor({ state: 'detached' });
    assert.equal(
      Date.parse(sessionOf('frank', 'billing-export')?.expireTime ?? '') - Date.parse(before?.expireTime ?? ''),
      3_600_000,
    );
  });

  it('does not revoke when the question is answered with Cancel', async () => {
    const page = await open(TAB);
    await page.getByRole('checkbox', { name: 'Select dave on reporting-db' }).check();
    const dialog = await revokeTicked(page, 1, 'not really');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
    assert.equal(sessionOf('dave', 'reporting-db')?.state, 'SESSION_STATE_ACTIVE');
    assert.ok(has('reporting-db', 'dave'));
  });

  it('narrows the list by resource and state, sorts it, and keeps that in the address', async () => {
    const page = await open(TAB);
    await page.getByRole('combobox', { name: 'Filter by resource' }).fill('billing-export');
    await page.getByRole('button', { name: 'Apply the filter by resource' }).click();
    await row(page, 'dave', 'reporting-db').waitFor({ state: 'detached' });
    await row(page, 'frank', 'billing-export').waitFor();
    await eventually(() => page.url().includes('resource=billing-export'), WITHIN);
    await page.getByRole('button', { name: 'State' }).first().click();
    await page.getByRole('menuitem', { name: 'Ending' }).click();
    await row(page, 'frank', 'billing-export').waitFor({ state: 'detached' });
    await row(page, 'alice', 'billing-export').waitFor();
    await page.goto(`${stage.host.address}${TAB}&sort=resource_name+desc`);
    await row(page, 'carol', 'wiki-admins').waitFor();
    const names = await page.locator('td[data-label="Resource"]').allTextContents();
    assert.deepEqual(names, [...names].sort().reverse());
    assert.ok(names.length >= 4);
  });

  it('exports the tab as CSV, with what is not confirmed', async () => {
    const page = await open(TAB);
    await row(page, 'dave', 'reporting-db').waitFor();
    await page.getByRole('button', { name: 'Actions', exact: true }).click();
    const saved = page.waitForEvent('download');
    await page.getByRole('menuitem', { name: /^Export \d+ as CSV$/ }).click();
    const download = await saved;
    assert.match(download.suggestedFilename(), /^curfew-timed-access-.*\.csv$/);
    const [columns = [], ...lines] = readFileSync(await download.path(), 'utf8')
      .replace('\ufeff', '')
      .trim()
      .split('\r\n')
      .map((line) => line.slice(1, -1).split('","'));
    const cells = lines.find((line) => line[columns.indexOf('user')] === 'alice') ?? [];
    assert.equal(cells[columns.indexOf('state')], 'ending');
    assert.match(cells[columns.indexOf('not confirmed since')] ?? '', /^\d{4}-/);
    assert.equal(cells[columns.indexOf('approved duration')], '4 h');
  });

  it('lets an admin give access directly, and says at the field why not', async () => {
    const page = await open(TAB);
    await page.getByRole('button', { name: 'Give a session…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'User' }).fill('newcomer');
    await dialog.getByRole('combobox', { name: 'Resource' }).fill('wiki-admins');
    await dialog.getByRole('textbox', { name: 'Why' }).fill('first day');
    await dialog.getByRole('button', { name: 'Give it now' }).click();
    await dialog.getByText(/knows nobody for newcomer/).waitFor();
    assert.equal(sessionOf('newcomer', 'wiki-admins'), undefined);
    assert.deepEqual((await new AxeBuilder({ page }).analyze()).violations, []);
    await dialog.getByRole('combobox', { name: 'User' }).fill('frank');
    await dialog.getByRole('button', { name: 'Give it now' }).click();
    await dialog.waitFor({ state: 'detached' });
    await row(page, 'frank', 'wiki-admins').getByText('active').waitFor();
    assert.ok(has('wiki-admins', 'uid=frank,ou=people,dc=example,dc=com'));
  });

  it('takes a request from My access to the resource, and back when the person ends it', async () => {
    const page = await open('/my-access?tab=resources', 'frank');
    await page.getByRole('button', { name: 'Ask for wiki-admins' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('It is approved by itself. Your access begins at once.').waitFor();
    await dialog.getByRole('textbox', { name: 'Why' }).fill('tidy up');
    await dialog.getByRole('button', { name: '1 h' }).click();
    await dialog.getByText(/for longer it may have to be decided/).waitFor();
    await dialog.getByRole('button', { name: 'Ask', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('It waits for any approver').first().waitFor();
    assert.equal(sessionOf('frank', 'wiki-admins'), undefined);

    const inbox = await open('/requests', 'bob');
    const wish = inbox.getByRole('listitem').filter({ hasText: 'tidy up' });
    await wish.getByText('wants access to').waitFor();
    await wish.getByRole('button', { name: 'Approve' }).click();
    await inbox.getByRole('dialog').getByText('The access begins as soon as you approve.').waitFor();
    await inbox.getByRole('dialog').getByRole('button', { name: 'Approve', exact: true }).click();

    await page.getByText('You are known there as uid=frank,ou=people,dc=example,dc=com').waitFor();
    await eventually(() => has('wiki-admins', 'uid=frank,ou=people,dc=example,dc=com'), WITHIN);
    const card = page.locator('.curfew-cards > *').filter({ hasText: 'wiki-admins' });
    await card.getByRole('button', { name: 'End now' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End now' }).click();
    await card.waitFor({ state: 'detached' });
    assert.equal(has('wiki-admins', 'uid=frank,ou=people,dc=example,dc=com'), false);
  });
});
