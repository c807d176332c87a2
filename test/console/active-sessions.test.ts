import { AxeBuilder } from '@axe-core/playwright';
import { endSession, setOnline } from '@curfew/console/fake-api';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Locator, Page } from 'playwright-core';
import { consoleStage } from '../support/console-stage.js';
import { eventually } from '../support/wait.js';

const WITHIN = { withinMs: 15_000 };

describe('Active Sessions in a browser', function () {
  this.timeout(60_000);
  const stage = consoleStage();
  const { open } = stage;
  const row = (page: Page, user: string, place: string): Locator =>
    page.getByRole('row').filter({ has: page.getByRole('checkbox', { name: `Select ${user} on ${place}` }) });
  const idOf = (deviceName: string): string =>
    [...stage.host.api.world.sessions.values()].find(
      (session) => session.deviceName === deviceName && session.state === 'SESSION_STATE_ACTIVE',
    )?.id ?? '';
  const stateOf = (id: string): string => stage.host.api.world.sessions.get(id)?.state ?? '';
  const tab = (page: Page, name: string): Locator => page.getByRole('tab', { name: new RegExp(name) });

  it('revokes what is ticked, row by row until each device has confirmed', async () => {
    const page = await open('/sessions');
    const ids = [idOf('web-1'), idOf('mac-frank'), idOf('kiosk-3')];
    for (const [user, place] of [
      ['carol', 'web-1'],
      ['frank', 'mac-frank'],
      ['frank', 'kiosk-3'],
    ] as const)
      await page.getByRole('checkbox', { name: `Select ${user} on ${place}` }).check();
    await page.getByRole('button', { name: 'Actions', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Revoke 3 selected…' }).click();
    const dialog = page.getByRole('dialog');
    for (const text of ['carol on web-1', 'frank on mac-frank', 'frank on kiosk-3', 'One device is out of reach'])
      await dialog.getByText(text).first().waitFor();
    const button = dialog.getByRole('button', { name: 'Revoke 3 sessions' });
    assert.equal(await button.isDisabled(), true, 'no reason yet');
    await dialog.getByRole('textbox', { name: 'Reason' }).fill('the work is done');
    // What has ended stays for some seconds alone: it is waited for from before it ends.
    await Promise.all([row(page, 'carol', 'web-1').getByText('revoked · confirmed').waitFor(), button.click()]);
    await row(page, 'frank', 'kiosk-3').getByText('revoking').waitFor();
    await row(page, 'frank', 'kiosk-3')
      .getByText(/waiting for device, offline since/)
      .waitFor();
    await page.getByText('2 confirmed by the device · 1 waiting for a device that is offline').waitFor();
    await row(page, 'carol', 'web-1').waitFor({ state: 'detached' });
    assert.deepEqual(ids.map(stateOf), ['SESSION_STATE_ENDED', 'SESSION_STATE_ENDED', 'SESSION_STATE_ENDING']);
    assert.equal(stage.host.api.world.sessions.get(ids[0] ?? '')?.endDetail, 'the work is done');

    setOnline(stage.host.api.world, stage.host.api.world.sessions.get(ids[2] ?? '')?.deviceId ?? '', true);
    await page.getByText('3 confirmed by the device').waitFor();
  });

  it('does not revoke when the question is answered with Cancel', async () => {
    const page = await open('/sessions');
    const id = idOf('web-1');
    await row(page, 'carol', 'web-1').getByRole('button', { name: 'Actions for carol on web-1' }).click();
    await page.getByRole('menuitem', { name: 'Revoke…' }).click();
    // The reason has the focus: it is typed without looking for it.
    await page.getByRole('dialog').getByRole('textbox', { name: 'Reason' }).waitFor();
    await page.keyboard.type('not really');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(stateOf(id), 'SESSION_STATE_ACTIVE');
  });

  it('revokes all that match, on every page', async () => {
    await stage.refill({ sessions: 3_000, devices: 200 });
    const page = await open('/sessions?user=frank');
    const before = [...stage.host.api.world.sessions.values()].filter(
      ({ userName, state, kind }) =>
        userName === 'frank' && state === 'SESSION_STATE_ACTIVE' && kind === 'SESSION_KIND_DEVICE_ADMIN',
    );
    await page.getByRole('button', { name: 'Select several' }).click();
    await page.getByRole('menuitem', { name: `Select all ${before.length} that match` }).click();
    await page.getByRole('button', { name: 'Actions', exact: true }).click();
    await page.getByRole('menuitem', { name: `Revoke ${before.length} selected…` }).click();
    await page.getByRole('dialog').getByText(`All ${before.length} sessions that match the filters end now`).waitFor();
    await page.getByRole('dialog').getByRole('textbox', { name: 'Reason' }).fill('incident 7');
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Revoke/ })
      .click();
    await page.getByText(`Revoked ${before.length} sessions`).waitFor();
    const live = before.filter(({ id }) => stateOf(id ?? '') === 'SESSION_STATE_ACTIVE');
    assert.equal(live.length, 0);
    const others = [...stage.host.api.world.sessions.values()].filter(
      ({ userName, endReason }) => userName !== 'frank' && endReason === 'END_REASON_REVOKED' && userName === 'dave',
    );
    assert.equal(
      others.every(({ endDetail }) => endDetail !== 'incident 7'),
      true,
    );
  });

  it('shows in one browser at once what is done in another', async () => {
    const [one, two] = [await open('/sessions'), await open('/sessions', 'bob')];
    await row(two, 'carol', 'web-1').getByText('active').waitFor();
    await tab(two, 'Device Admin').getByText('9').waitFor();
    await row(one, 'carol', 'web-1').getByRole('button', { name: 'Actions for carol on web-1' }).click();
    await one.getByRole('menuitem', { name: 'Revoke…' }).click();
    await one.getByRole('dialog').getByRole('textbox', { name: 'Reason' }).fill('done');
    await Promise.all([
      row(two, 'carol', 'web-1')
        .getByText(/^revok/)
        .waitFor(),
      one.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click(),
    ]);
    await tab(two, 'Device Admin').getByText('8').waitFor();
  });

  it('shows a session that begins, without a reload', async () => {
    const page = await open('/sessions');
    await row(page, 'carol', 'web-1').waitFor();
    const { world } = stage.host.api;
    const user = [...world.users.values()].find(({ name }) => name === 'owner');
    stage.host.api.call(
      'SessionService/GrantSession',
      { user: 'bob', device: 'build-1', duration: '600s', reason: 'try it' },
      { user: user ?? {}, role: 'owner', signInId: '' },
    );
    await row(page, 'bob', 'build-1').getByText('active').waitFor();
    await row(page, 'bob', 'build-1')
      .getByText(/^9m \d\ds$/)
      .waitFor();
  });

  it('counts down without a reload', async () => {
    const page = await open('/sessions');
    const left = row(page, 'carol', 'web-1').getByText(/^\d+m \d\ds$/);
    const first = await left.textContent();
    await eventually(async () => (await left.textContent()) !== first, WITHIN);
  });

  it('recovers from a server that went away, without a reload, and says so meanwhile', async () => {
    const page = await open('/sessions');
    await row(page, 'carol', 'web-1').waitFor();
    await stage.host.goDown();
    await page.getByText('Reconnecting').waitFor();
    endSession(stage.host.api.world, idOf('web-1'), 'END_REASON_REVOKED', 'bob', 'while it was away');
    await eventually(
      () =>
        ![...stage.host.api.world.sessions.values()].some(
          (s) => s.endDetail === 'while it was away' && s.state !== 'SESSION_STATE_ENDED',
        ),
      WITHIN,
    );
    await stage.host.comeBack();
    await page.getByText('Reconnecting').waitFor({ state: 'detached' });
    await row(page, 'carol', 'web-1').waitFor({ state: 'detached' });
    await row(page, 'frank', 'mac-frank').waitFor();
  });

  /** Opens the question that is asked before a session is revoked, and says why. Gives its last button. */
  async function askRevoke(page: Page, user: string, place: string): Promise<Locator> {
    await row(page, user, place)
      .getByRole('button', { name: `Actions for ${user} on ${place}` })
      .click();
    await page.getByRole('menuitem', { name: 'Revoke…' }).click();
    await page.getByRole('dialog').getByRole('textbox', { name: 'Reason' }).fill('the work is done');
    return page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true });
  }

  it('asks what became of a revoke while the server was away', async () => {
    const page = await open('/sessions');
    const { world } = stage.host.api;
    const id = idOf('kiosk-3');
    await (await askRevoke(page, 'frank', 'kiosk-3')).click();
    await page.getByText('0 confirmed by the device · 1 waiting for a device that is offline').waitFor();
    await stage.host.goDown();
    await page.getByText('Reconnecting').waitFor();
    setOnline(world, world.sessions.get(id)?.deviceId ?? '', true);
    await eventually(() => stateOf(id) === 'SESSION_STATE_ENDED', WITHIN);
    await stage.host.comeBack();
    await page.getByText('1 confirmed by the device').waitFor();
  });

  it('does not count as revoked what the server was not reached for, and finds out later', async () => {
    const page = await open('/sessions');
    const id = idOf('web-1');
    const revoke = await askRevoke(page, 'carol', 'web-1');
    await stage.host.goDown();
    await revoke.click();
    await page.getByText('The revoke stopped after 0 of 1 sessions').waitFor();
    await page.getByText('1 may be revoked or not: the answer was lost').waitFor();
    await stage.host.comeBack();
    await page.getByText('1 may be revoked or not: the answer was lost').waitFor({ state: 'detached' });
    await page.getByText('The revoke stopped after 0 of 1 sessions').waitFor();
    assert.equal(stateOf(id), 'SESSION_STATE_ACTIVE');
  });

  it('says that it is told nothing any more when a role is lowered, and offers what the person may now', async () => {
    const page = await open('/sessions', 'bob');
    await row(page, 'carol', 'web-1').waitFor();
    await page.getByRole('link', { name: 'Active Sessions', exact: true }).waitFor();
    const { users } = stage.host.api.world;
    const bob = [...users.values()].find(({ name }) => name === 'bob');
    users.set(bob?.id ?? '', { ...bob, role: 'ROLE_USER' });
    await stage.host.goDown();
    await stage.host.comeBack();
    await page.getByText('Not live').waitFor();
    await page.getByRole('link', { name: 'Active Sessions', exact: true }).waitFor({ state: 'detached' });
  });

  it('searches, filters, sorts, and keeps all of it in the address', async () => {
    const page = await open('/sessions');
    await row(page, 'carol', 'web-1').waitFor();
    await page.getByRole('textbox', { name: /^Search/ }).fill('VPN');
    await row(page, 'carol', 'web-1').waitFor({ state: 'detached' });
    await row(page, 'frank', 'mac-frank').waitFor();
    await page.waitForURL(/q=VPN/);
    await page.getByRole('button', { name: 'Platform' }).click();
    await page.getByRole('option', { name: 'Windows' }).click();
    await page.getByText('No session matches').waitFor();
    await page.getByRole('button', { name: 'Clear all filters' }).first().click();
    await row(page, 'carol', 'web-1').waitFor();
    await page.getByRole('button', { name: 'User', exact: true }).click();
    // The first row may be the same in both orders.
    await page.waitForURL(/sort=user_name/);
    await eventually(
      async () => (await page.getByRole('row').nth(1).textContent())?.includes('alice') === true,
      WITHIN,
    );
    await page.reload();
    await eventually(
      async () => (await page.getByRole('row').nth(1).textContent())?.includes('alice') === true,
      WITHIN,
    );
  });

  it('extends a session, and shows what the server refuses at the field', async () => {
    const page = await open('/sessions');
    await row(page, 'carol', 'web-1').getByRole('button', { name: 'Actions for carol on web-1' }).click();
    await page.getByRole('menuitem', { name: 'Extend…' }).click();
    const dialog = page.getByRole('dialog');
    const field = dialog.getByRole('textbox');
    await field.fill('48h');
    await dialog.getByRole('button', { name: /^Extend/ }).click();
    await dialog.getByText(/longer than the 24h allowed/i).waitFor();
    await field.fill('1h');
    await dialog.getByRole('button', { name: 'Extend by 1 h' }).click();
    await dialog.waitFor({ state: 'detached' });
    await row(page, 'carol', 'web-1')
      .getByText(/^1h \d\dm$/)
      .waitFor();
  });

  it('does not say that a session was not extended when only the answer is missing', async () => {
    const page = await open('/sessions');
    await row(page, 'carol', 'web-1').getByRole('button', { name: 'Actions for carol on web-1' }).click();
    await page.getByRole('menuitem', { name: 'Extend…' }).click();
    await stage.host.goDown();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: /^Extend by/ }).click();
    await dialog.getByText('It is not known whether this was done').waitFor();
    await stage.host.comeBack();
  });

  it('shows reasons as text, whatever they are made of', async () => {
    const page = await open('/sessions');
    await row(page, 'alice', 'build-1').getByText('<script>alert(1)</script>').waitFor();
    await row(page, 'alice', 'build-1').getByText('\\u{202e}').waitFor();
  });

  it('exports what matches, with cells that are no formulas', async () => {
    const page = await open('/sessions');
    await row(page, 'carol', 'web-1').waitFor();
    await page.getByRole('button', { name: 'Actions', exact: true }).click();
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('menuitem', { name: /^Export \d+ as CSV$/ }).click(),
    ]);
    const text = readFileSync(await file.path(), 'utf8');
    assert.match(file.suggestedFilename(), /^curfew-device-admin-.*\.csv$/);
    assert.ok(text.includes(`"'=HYPERLINK(""http://example.com"",""click"")"`), text);
    assert.equal(text.trim().split('\r\n').length, 1 + 9);
  });

  it('lets a viewer see everything and do nothing, and says why', async () => {
    const page = await open('/sessions', 'erin');
    await row(page, 'carol', 'web-1').getByRole('button', { name: 'Actions for carol on web-1' }).click();
    const revoke = page.getByRole('menuitem', { name: 'Revoke…' });
    assert.equal(await revoke.getAttribute('aria-disabled'), 'true');
    await revoke.hover();
    await page.getByText('This takes the role approver; yours is viewer.').first().waitFor();
  });

  it('asks in dialogs that are accessible', async () => {
    const page = await open('/sessions');
    for (const item of ['Revoke…', 'Extend…']) {
      await row(page, 'carol', 'web-1').getByRole('button', { name: 'Actions for carol on web-1' }).click();
      await page.getByRole('menuitem', { name: item }).click();
      await page.getByRole('dialog').waitFor();
      const { violations } = await new AxeBuilder({ page }).analyze();
      assert.deepEqual(
        violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`),
        [],
      );
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    }
  });

  it('can be worked with the keyboard alone', async () => {
    const page = await open('/sessions');
    await row(page, 'carol', 'web-1').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate("document.activeElement?.closest('main') !== null"), true, 'the skip link');
    const box = page.getByRole('checkbox', { name: 'Select carol on web-1' });
    await box.focus();
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Actions', exact: true }).focus();
    await page.keyboard.press('Enter');
    await eventually(() => page.evaluate<boolean>("document.activeElement?.role === 'menuitem'"), WITHIN);
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    assert.equal(stateOf(idOf('web-1')), 'SESSION_STATE_ACTIVE');
    await page.getByRole('button', { name: 'carol' }).first().focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Session', exact: true }).waitFor();
    // The heading gets the focus a moment after it is there.
    await eventually(() => page.evaluate<boolean>("document.activeElement?.textContent === 'Session'"), WITHIN);
  });
});
