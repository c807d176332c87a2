import { AxeBuilder } from '@axe-core/playwright';
import { setHealth } from '@curfew/console/fake-api';
import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { consoleStage } from '../support/console-stage.js';

describe('resources and connectors in a browser', function () {
  this.timeout(60_000);
  const stage = consoleStage();
  const { open } = stage;
  const named = <T extends { readonly name?: string }>(things: Iterable<T>, name: string): T | undefined =>
    [...things].find((thing) => thing.name === name);
  const row = (page: Page, text: string): Locator => page.getByRole('row').filter({ hasText: text });

  it('makes a connector from the fields of its kind, and never shows its secret again', async () => {
    const page = await open('/resources?tab=connectors');
    await page.getByRole('button', { name: 'New connector…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Name' }).fill('branch');
    const save = dialog.getByRole('button', { name: 'Save', exact: true });
    assert.equal(await save.isDisabled(), true, 'nothing is filled in');
    await dialog.getByRole('textbox', { name: 'Address' }).fill('gopher://x');
    await dialog.getByRole('textbox', { name: 'Bind DN' }).fill('cn=curfew,dc=example,dc=com');
    await dialog.getByRole('textbox', { name: 'Base DN of people' }).fill('ou=people,dc=example,dc=com');
    await dialog.getByLabel('Password').fill('not to be seen');
    assert.equal(await dialog.getByLabel('Password').getAttribute('type'), 'password');
    await save.click();
    await dialog.getByText('Is not ldap://HOST or ldaps://HOST.').waitFor();
    assert.equal(named(stage.host.api.world.connectors.values(), 'branch'), undefined);
    assert.deepEqual((await new AxeBuilder({ page }).analyze()).violations, []);
    await dialog.getByRole('textbox', { name: 'Address' }).fill('ldaps://branch.example.com');
    await save.click();
    await dialog.waitFor({ state: 'detached' });
    await row(page, 'branch').getByText('Password: set').waitFor();

    await page.getByRole('button', { name: 'Change branch' }).click();
    assert.equal(await dialog.getByLabel('Password').inputValue(), '');
    await dialog.getByText(/Set, and never shown again/).waitFor();
    await dialog.getByRole('checkbox', { name: 'Give nothing new through it' }).check();
    await save.click();
    await row(page, 'branch').getByText('off').waitFor();
    const kept = named(stage.host.api.world.connectors.values(), 'branch');
    assert.deepEqual([kept?.secretsSet, kept?.disabled], [['password'], true]);
    assert.ok(!(await page.content()).includes('not to be seen'));
  });

  it('says since when a connector fails, and lets go of it once it is well', async () => {
    const page = await open('/resources?tab=connectors');
    await row(page, 'billing').getByText('fails', { exact: true }).waitFor();
    await row(page, 'billing')
      .getByText(/failing since .+, next try in .+, asked only now and then/)
      .waitFor();
    await page.getByRole('button', { name: 'Remove billing' }).focus();
    await page.getByRole('tooltip').getByText('Resources use it; remove those first.').waitFor();
    setHealth(stage.host.api.world, 'billing', 'well');
    await row(page, 'billing').getByText('well').waitFor();
  });

  it('makes a resource, which can be tried before it is saved, and shows it', async () => {
    const page = await open('/resources');
    await page.getByRole('button', { name: 'New resource…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Name' }).fill('ops');
    await dialog.getByRole('textbox', { name: 'What it is for' }).fill('Those who are called at night');
    await dialog.getByRole('combobox', { name: 'Connector' }).selectOption('corp-directory');
    await dialog.getByRole('textbox', { name: 'Group DN' }).fill('ops');
    await dialog.getByRole('textbox', { name: 'Who is called otherwise there' }).fill('dave');
    await dialog.getByText('Line 1: write it as user = name there.').waitFor();
    await dialog.getByRole('textbox', { name: 'Who is called otherwise there' }).fill('dave = uid=dave2,ou=people');
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await dialog.getByText('Is not a distinguished name.').waitFor();
    assert.equal(named(stage.host.api.world.resources.values(), 'ops'), undefined);
    await dialog.getByRole('textbox', { name: 'Group DN' }).fill('cn=ops,ou=groups,dc=example,dc=com');
    await dialog.getByRole('button', { name: 'Try it before it is saved' }).click();
    await dialog.getByRole('combobox', { name: 'Somebody to look for' }).fill('dave');
    await dialog.getByRole('combobox', { name: 'Somebody to look for' }).press('Enter');
    await dialog.getByText(/is known there as uid=dave2,ou=people, and does not have it now/).waitFor();
    assert.equal(named(stage.host.api.world.resources.values(), 'ops'), undefined, 'a try saves nothing');
    assert.deepEqual((await new AxeBuilder({ page }).analyze()).violations, []);
    // What was found is not of another group.
    await dialog.getByRole('textbox', { name: 'Group DN' }).fill('cn=other,ou=groups,dc=example,dc=com');
    await dialog.getByText(/is known there as/).waitFor({ state: 'detached' });
    await dialog.getByRole('textbox', { name: 'Group DN' }).fill('cn=ops,ou=groups,dc=example,dc=com');
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'ops' }).click();
    await page.getByRole('heading', { level: 1, name: 'ops' }).waitFor();
    await page.getByText('uid=dave2,ou=people').waitFor();
    assert.deepEqual(named(stage.host.api.world.resources.values(), 'ops')?.target, {
      group_dn: 'cn=ops,ou=groups,dc=example,dc=com',
    });
  });

  it('shows what a try has found, in its place', async () => {
    const page = await open('/resources/billing-export');
    await page.getByRole('button', { name: 'Try it' }).click();
    await page.getByText('It could not be read').waitFor();
    await page.getByText('connect ECONNREFUSED').first().waitFor();
    await page.goto(`${stage.host.address}/resources/reporting-db`);
    await page.getByRole('combobox', { name: 'Somebody to look for' }).fill('nobody');
    await page.getByRole('button', { name: 'Try it' }).click();
    await page.getByText("No user 'nobody'").waitFor();
    await page.getByRole('combobox', { name: 'Somebody to look for' }).fill('carol');
    await page.getByRole('button', { name: 'Try it' }).click();
    await page.getByText(/carol is known there as carol_ro, and does not have it now/).waitFor();
    await page.getByText(/It answers: role 'report_reader' with \d+ members/).waitFor();
  });

  it('compares a resource with the ledger now, and tells each difference', async () => {
    const page = await open('/resources/wiki-admins');
    await page.getByText('added by hand').first().waitFor();
    const id = named(stage.host.api.world.resources.values(), 'wiki-admins')?.id ?? '';
    stage.host.api.world.members.get(id)?.delete('uid=carol,ou=people,dc=example,dc=com');
    await page.getByRole('button', { name: 'Compare now' }).click();
    const differences = page.getByRole('grid', { name: 'Differences' });
    const removed = differences.getByRole('row').filter({ hasText: 'uid=carol,ou=people,dc=example,dc=com' });
    await removed.getByText('removed by hand').waitFor();
    await removed.getByRole('link', { name: 'Session' }).click();
    await page.getByText('Known there as').waitFor();
    await page.goto(`${stage.host.address}/resources/billing-export`);
    await page.getByRole('button', { name: 'Compare now' }).click();
    await page.getByText("The resource 'billing-export' does not answer").waitFor();
  });

  it('accepts a difference with a reason, and shows it no more', async () => {
    const page = await open('/resources/wiki-admins');
    const mallory = 'uid=mallory,ou=people,dc=example,dc=com';
    const takeAway = page.getByRole('button', { name: `Take away… ${mallory}` });
    assert.equal(await takeAway.getAttribute('aria-disabled'), 'true');
    await takeAway.focus();
    await page.getByRole('tooltip').getByText('Curfew takes away only what it has given before.').waitFor();
    const button = page.getByRole('button', { name: `Accept… ${mallory}` });
    // The tooltip lies over it until the focus is elsewhere.
    await button.focus();
    await button.click();
    const dialog = page.getByRole('dialog');
    const accept = dialog.getByRole('button', { name: 'Accept', exact: true });
    assert.equal(await accept.isDisabled(), true, 'no reason yet');
    await dialog.getByText('keeps it, and Curfew never takes it away').waitFor();
    await dialog.getByRole('textbox', { name: 'Reason' }).fill('runs the wiki');
    assert.deepEqual((await new AxeBuilder({ page }).analyze()).violations, []);
    await accept.click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('Ledger and resource agreed').waitFor();
    await page.getByRole('button', { name: 'Compare now' }).click();
    await page.getByText(/Ledger and resource agree$/).waitFor();
    const { world } = stage.host.api;
    const id = named(world.resources.values(), 'wiki-admins')?.id ?? '';
    assert.equal(world.members.get(id)?.has(mallory), true);
  });

  it('gives again what was removed by hand, and takes away what is back after its end', async () => {
    const { world } = stage.host.api;
    const carol = 'uid=carol,ou=people,dc=example,dc=com';
    const id = named(world.resources.values(), 'wiki-admins')?.id ?? '';
    const page = await open('/resources/wiki-admins');
    const settle = async (button: string, submit: string): Promise<void> => {
      await page.getByRole('button', { name: `${button} ${carol}` }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox', { name: 'Reason' }).fill('a mistake');
      await dialog.getByRole('button', { name: submit, exact: true }).click();
      await dialog.waitFor({ state: 'detached' });
    };
    world.members.get(id)?.delete(carol);
    await page.getByRole('button', { name: 'Compare now' }).click();
    await settle('Give again…', 'Give it again');
    await page.getByText('A new session starts').waitFor();
    const sessions = page.getByRole('grid', { name: 'Sessions' });
    await sessions.getByRole('row').filter({ hasText: 'a mistake' }).getByText('active').waitFor();
    assert.equal(world.members.get(id)?.has(carol), true);

    for (const session of world.sessions.values())
      if (session.resourceSubject === carol) world.putSession({ ...session, state: 'SESSION_STATE_ENDED' });
    await page.getByRole('button', { name: 'Compare now' }).click();
    await settle('Take away…', 'Take it away');
    await page.getByText('Taken away; the resource has confirmed it').waitFor();
    assert.equal(world.members.get(id)?.has(carol), false);
  });

  it('shows a group of a device, which has no connector, and changes what it gives', async () => {
    const page = await open('/resources/docker-on-build-1');
    await page.getByText('Device’s local group').waitFor();
    await page.getByRole('button', { name: 'Change…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Device' }).fill('nowhere');
    await dialog.getByRole('textbox', { name: 'Group', exact: true }).fill('libvirt');
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await dialog.getByText("No device 'nowhere'").waitFor();
    assert.equal(named(stage.host.api.world.resources.values(), 'docker-on-build-1')?.target?.['group'], 'docker');
    await dialog.getByRole('textbox', { name: 'Device' }).fill('web-1');
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('libvirt').waitFor();
  });

  it('deletes a resource only when nobody has it, and after a question', async () => {
    const page = await open('/resources/wiki-admins');
    await page.getByRole('button', { name: 'Delete…' }).focus();
    await page.getByRole('tooltip').getByText('It has a live session; revoke first.').waitFor();
    await page.goto(`${stage.host.address}/resources/vpn-emergency`);
    await page.getByText('Nobody can ask for it any more; sessions that run go on').waitFor();
    await page.getByRole('button', { name: 'Delete…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    assert.ok(named(stage.host.api.world.resources.values(), 'vpn-emergency') !== undefined);
    await page.getByRole('button', { name: 'Delete…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete the resource' }).click();
    await page.getByRole('heading', { level: 1, name: 'Resources' }).waitFor();
    assert.equal(named(stage.host.api.world.resources.values(), 'vpn-emergency'), undefined);
  });

  it('lets a viewer see everything and change nothing, and says why', async () => {
    const page = await open('/resources/wiki-admins', 'erin');
    for (const name of ['Give access…', 'Change…', 'Delete…', 'Try it', 'Compare now', /^Accept… /]) {
      const button = page.getByRole('button', { name });
      assert.equal(await button.getAttribute('aria-disabled'), 'true', String(name));
    }
    await page.getByRole('button', { name: 'Change…' }).focus();
    await page.getByRole('tooltip').getByText(/admin/).waitFor();
    await page.goto(`${stage.host.address}/resources?tab=connectors`);
    await row(page, 'billing').waitFor();
    assert.equal(await page.getByRole('button', { name: 'New connector…' }).getAttribute('aria-disabled'), 'true');
    assert.equal(await page.getByRole('button', { name: 'Change billing' }).getAttribute('aria-disabled'), 'true');
  });

  it('leads from the overview to what does not answer and what differs', async () => {
    const page = await open('/');
    await page.getByRole('link', { name: 'wiki-admins' }).click();
    await page.getByRole('heading', { level: 1, name: 'wiki-admins' }).waitFor();
    await page.goto(stage.host.address);
    await page.getByRole('link', { name: 'Waiting for resource' }).click();
    await page
      .getByText(/the resource has not confirmed since/)
      .first()
      .waitFor();
  });
});
