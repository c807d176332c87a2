import { PASSWORD } from '@curfew/console/fake-api';
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { consoleStage } from '../support/console-stage.js';
import { eventually } from '../support/wait.js';

const WITHIN = { withinMs: 15_000 };

describe('requests, access, devices, policies and audit in a browser', function () {
  this.timeout(60_000);
  const stage = consoleStage();
  const { open } = stage;
  const requestOf = (reason: string) =>
    [...stage.host.api.world.requests.values()].find((request) => request.reason === reason);
  const current = (page: Page) => page.locator('li[aria-current="true"]');

  it('lets an approver work through the inbox by keyboard', async () => {
    const page = await open('/requests', 'bob');
    await current(page).getByText('printer driver').waitFor();
    await page.keyboard.press('j');
    await current(page).getByText('look at the slow query log').waitFor();
    await page.keyboard.press('k');
    await page.keyboard.press('a');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Approve this request').waitFor();
    await eventually(() => page.evaluate<boolean>("document.activeElement?.id === 'approve-reason'"), WITHIN);
    // In the field letters are text, and the list stays as it is.
    await page.keyboard.type('ajd?');
    assert.equal(await dialog.getByRole('textbox', { name: 'Reason' }).inputValue(), 'ajd?');
    await dialog.getByRole('textbox', { name: 'For how long' }).fill('10m');
    await dialog.getByRole('button', { name: 'Approve for 10 min' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('printer driver').waitFor({ state: 'detached' });
    const decided = requestOf('printer driver');
    assert.deepEqual(
      [decided?.state, decided?.duration, decided?.decisionReason],
      ['ACCESS_REQUEST_STATE_APPROVED', '600s', 'ajd?'],
    );
    // The place of the one that went is taken by the next.
    await current(page).getByText('look at the slow query log').waitFor();
  });

  it('closes a dialog with Esc and changes nothing, and takes no denial without a reason', async () => {
    const page = await open('/requests', 'bob');
    await current(page).getByText('printer driver').waitFor();
    await page.keyboard.press('d');
    const deny = page.getByRole('dialog').getByRole('button', { name: 'Deny' });
    assert.equal(await deny.isDisabled(), true);
    await page.keyboard.press('Escape');
    await deny.waitFor({ state: 'detached' });
    assert.equal(requestOf('printer driver')?.state, 'ACCESS_REQUEST_STATE_PENDING');
  });

  it('shows a new request in another browser without a reload', async () => {
    const page = await open('/requests', 'bob');
    await current(page).waitFor();
    const [asked] = [...stage.host.api.world.requests.values()];
    stage.host.api.world.putRequest({
      ...asked,
      id: stage.host.api.world.id('request'),
      reason: 'just now',
      state: 'ACCESS_REQUEST_STATE_PENDING',
    });
    await page.getByText('just now').first().waitFor();
  });

  it('shows a viewer what cannot be done, with the reason', async () => {
    const page = await open('/requests?show=all', 'erin');
    const approve = page.getByRole('button', { name: 'Approve' }).first();
    assert.equal(await approve.getAttribute('aria-disabled'), 'true');
    await approve.hover();
    await page.getByRole('tooltip').getByText('This takes the role approver; yours is viewer.').waitFor();
  });

  it('lets a person ask, start and end, and shows only what is theirs', async () => {
    const page = await open('/my-access', 'bob');
    const ask = page.getByRole('button', { name: 'Ask for build-1' });
    await ask.click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('It is approved by itself.').waitFor();
    await dialog.getByRole('textbox', { name: 'Why' }).fill('mend the runner');
    await dialog.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await eventually(
      async () =>
        [...stage.host.api.world.sessions.values()].some(
          ({ reason, state }) => reason === 'mend the runner' && state === 'SESSION_STATE_ACTIVE',
        ),
      { ...WITHIN, what: 'the session to be active' },
    );
    const card = page.locator('.pf-v6-c-card').filter({ hasText: 'build-1' });
    await card.getByText('Time left').waitFor();
    await card.getByRole('button', { name: 'End now' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End now' }).click();
    await card.waitFor({ state: 'detached' });
  });

  it('asks once more who it is before a session that needs that, and then goes on', async () => {
    const { world } = stage.host.api;
    const page = await open('/my-access', 'dave');
    for (const [id, signIn] of world.signIns) world.signIns.set(id, { ...signIn, freshTime: world.time(-3_600_000) });
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Password' }).fill('wrong');
    await dialog.getByRole('button', { name: 'Go on' }).click();
    await dialog.getByText('Not proved').waitFor();
    assert.equal(requestOf('restart nginx')?.state, 'ACCESS_REQUEST_STATE_APPROVED');
    await dialog.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
    await dialog.getByRole('button', { name: 'Go on' }).click();
    await eventually(async () => requestOf('restart nginx')?.state === 'ACCESS_REQUEST_STATE_STARTED', {
      ...WITHIN,
      what: 'the session to start',
    });
  });

  it('shows the command that enrols a machine, with the secret once', async () => {
    const page = await open('/devices', 'alice');
    await page.getByRole('button', { name: 'Add devices…' }).click();
    await page.getByRole('button', { name: 'Make a join token' }).click();
    const secret = await page.getByRole('textbox', { name: 'Join token' }).inputValue();
    const command = await page.getByRole('textbox', { name: 'Enrol the machine' }).inputValue();
    assert.equal(command, `curfew-agent enroll --server 127.0.0.1:7443 --token ${secret}`);
  });

  it('lets a device in again that was set up anew, with a token for it alone', async () => {
    const { world } = stage.host.api;
    const { id = '', name = '' } =
      [...world.devices.values()].find(({ state }) => state === 'DEVICE_STATE_ENROLLED') ?? {};
    const tokens = () => [...world.joinTokens.values()].filter(({ deviceId }) => deviceId === id);
    const page = await open(`/devices/${id}`, 'alice');
    await page.getByRole('button', { name: 'Re-enrol…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(`becomes ${name}`).waitFor();
    assert.equal(tokens().length, 0, 'nothing is made before it is asked for');
    await dialog.getByRole('textbox', { name: 'Works for' }).fill('2d');
    await dialog.getByRole('button', { name: 'Make a join token' }).click();
    await dialog.getByText(`Good for ${name} until`).waitFor();
    const secret = await dialog.getByRole('textbox', { name: 'Join token' }).inputValue();
    const command = await dialog.getByRole('textbox', { name: 'Enrol the machine' }).inputValue();
    assert.equal(command, `curfew-agent enroll --server 127.0.0.1:7443 --token ${secret}`);
    assert.deepEqual(
      tokens().map(({ uses, deviceName }) => ({ uses, deviceName })),
      [{ uses: 1, deviceName: name }],
    );
    const list = await open('/devices', 'alice');
    await list.getByRole('tab', { name: 'Join tokens' }).click();
    await list.getByRole('row').filter({ hasText: name }).getByText('1 of 1').waitFor();
    const viewer = await open(`/devices/${id}`, 'erin');
    const guarded = viewer.getByRole('button', { name: 'Re-enrol…' });
    assert.equal(await guarded.getAttribute('aria-disabled'), 'true');
  });

  it('shows what becomes of a device in another browser without a reload, in the list and on its own page', async () => {
    const { world } = stage.host.api;
    const list = await open('/devices', 'alice');
    const [device] = [...world.devices.values()].filter(({ state }) => state === 'DEVICE_STATE_ENROLLED');
    const name = device?.name ?? '';
    const row = list.getByRole('row').filter({ hasText: name });
    await row.waitFor();
    const page = await open(`/devices/${device?.id ?? ''}`, 'bob');
    await page.getByRole('heading', { name, exact: true }).waitFor();
    world.putDevice({ ...device, findings: ['sudoers was changed by hand'], labels: { shelf: 'b7' } });
    // Sooner than what is asked for every minute.
    await row.getByText('shelf=b7').waitFor({ timeout: WITHIN.withinMs });
    await page.getByText('sudoers was changed by hand').waitFor({ timeout: WITHIN.withinMs });
  });

  it('gives a one-time password out once, and says until when it works', async () => {
    const page = await open('/users', 'alice');
    await page.getByRole('link', { name: 'bob', exact: true }).click();
    await page.getByRole('button', { name: 'Reset password…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Reset', exact: true }).click();
    const shown = page.getByRole('dialog').filter({ hasText: 'The password was reset' });
    await shown.getByText(/It works until \d+ [A-Z][a-z]{2}( \d{4})?, \d\d:\d\d\./).waitFor();
    assert.notEqual(await shown.getByRole('textbox').inputValue(), '');
  });

  it('edits a policy as a form and as text alike, and nothing holds before the review', async () => {
    const page = await open('/policies/production', 'alice');
    await page.getByRole('textbox', { name: 'Longest' }).fill('1h');
    await page.getByRole('button', { name: 'Text', exact: true }).click();
    const text = page.getByRole('textbox', { name: 'Policy' });
    assert.match(await text.inputValue(), /^max_duration: 1h$/m);
    await text.fill((await text.inputValue()).replace('max_duration: 1h', 'max_duration: 90m'));
    await page.getByRole('button', { name: 'Form', exact: true }).click();
    assert.equal(await page.getByRole('textbox', { name: 'Longest' }).inputValue(), '90m');
    const before = stage.host.api.world.policies.find(({ name }) => name === 'production')?.version;
    await page.getByRole('button', { name: 'Review the changes…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('max_duration: 1h30m').waitFor();
    await dialog.getByText('One session runs longer than the new limit allows').waitFor();
    assert.equal(stage.host.api.world.policies.find(({ name }) => name === 'production')?.version, before);
    await dialog.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('The policies hold from now on').waitFor();
    assert.equal(stage.host.api.world.policies.find(({ name }) => name === 'production')?.spec?.maxDuration, '5400s');
  });

  it('says why a policy is not removed, before anything is reviewed', async () => {
    const page = await open('/policies/production', 'alice');
    const remove = page.getByRole('button', { name: 'Remove…' });
    await remove.waitFor();
    const { users, policies } = stage.host.api.world;
    const alice = [...users.values()].find(({ name }) => name === 'alice');
    users.set(alice?.id ?? '', { ...alice, role: 'ROLE_VIEWER' });
    await remove.click();
    await page.getByText('The policy was not removed').waitFor();
    await page.getByText(/^The role viewer may not call/).waitFor();
    assert.deepEqual(stage.host.api.world.policies, policies);
  });

  it('has what sessions run recorded, and no longer', async () => {
    const recording = () =>
      stage.host.api.world.policies.find(({ name }) => name === 'everyday')?.spec?.recording ?? undefined;
    const page = await open('/policies/everyday', 'alice');
    const mode = page.getByRole('combobox', { name: 'What is recorded of sudo' });
    const keep = page.getByRole('textbox', { name: 'Kept after the session' });
    const apply = async (): Promise<void> => {
      await page.getByRole('button', { name: 'Review the changes…' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    };
    assert.deepEqual([await mode.inputValue(), await keep.count(), recording()], ['off', 0, undefined]);
    await mode.selectOption('That, and what was typed, passwords left out');
    await keep.fill('30');
    await page.getByText("Is no duration, such as '30m' or '1h30m'.").waitFor();
    await keep.fill('30d');
    await page.getByRole('checkbox', { name: 'What cannot be recorded is refused, and ended if it runs' }).check();
    await apply();
    const whole = { mode: 'RECORDING_MODE_INPUT_AND_OUTPUT', required: true, keep: '2592000s' };
    assert.deepEqual(recording(), whole);
    await mode.selectOption('Nothing');
    await keep.waitFor({ state: 'detached' });
    await apply();
    assert.equal(recording(), undefined);
  });

  it('shows what is wrong with a policy at its field', async () => {
    const page = await open('/policies/production', 'alice');
    await page.getByRole('textbox', { name: 'Longest' }).fill('30');
    await page.getByText("Is no duration, such as '30m' or '1h30m'.").waitFor();
    assert.equal(await page.getByRole('button', { name: 'Review the changes…' }).getAttribute('aria-disabled'), 'true');
  });

  it('checks the audit log in the browser, and finds a record that was changed', async () => {
    const page = await open('/audit', 'erin');
    await page.getByRole('button', { name: 'Verify…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Verify', exact: true }).click();
    await dialog.getByText('The audit log is whole').waitFor();
    const { audit } = stage.host.api.world;
    audit[3] = { ...audit[3], record: Buffer.from('{"forged":true}').toString('base64') };
    await dialog.getByRole('button', { name: 'Verify again' }).click();
    await dialog.getByText('The audit log is NOT whole').waitFor();
    await dialog.getByText(/are not those that this browser has seen before/).waitFor();
  });

  it('shows hostile text as text', async () => {
    const { world } = stage.host.api;
    const [asked] = [...world.requests.values()];
    const reason = '<img src=x onerror=alert(1)> \u202Egnp.exe';
    world.putRequest({ ...asked, id: world.id('request'), state: 'ACCESS_REQUEST_STATE_PENDING', reason });
    const page = await open('/requests', 'bob');
    await page.getByText('<img src=x onerror=alert(1)>').waitFor();
    assert.equal(await page.getByText('\u202E').count(), 0);
    assert.equal(await page.locator('img[src=x]').count(), 0);
  });
});
