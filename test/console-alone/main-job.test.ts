import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { signIn, TestBrowser } from '../support/browser.js';
import { ControlPlane, curfew, startAgent } from '../support/control-plane.js';
import { DEVICE_BIN } from '../support/device-init.js';
import { Device } from '../support/device.js';
import { describeOn } from '../support/machine-needs.js';
import { consoleOf, firstSignIn, OWNER_PASSWORD, signInAsOwner } from '../support/real-console.js';
import { eventually } from '../support/wait.js';

const NAMES = ['laptop-1', 'laptop-2', 'laptop-3'];
const WITHIN = { withinMs: 20_000 };

describeOn(
  ['devices', { program: 'chromium' }],
  'the main job, in a browser, with three devices and real sudo',
  function () {
    this.timeout(120_000);
    let plane: ControlPlane;
    let browser: TestBrowser;
    let page: Page;
    let complaints: string[];
    const devices: Device[] = [];

    before(async () => {
      plane = await ControlPlane.start();
      for (const name of NAMES) devices.push(await Device.start({ name, users: [{ name: 'alice' }] }));
      // After the devices: Chromium drops what it is loading about a second after an address has come or gone.
      browser = await TestBrowser.launch();
      ({ page, complaints } = await browser.open());
    });

    after(async () => {
      await browser.close();
      await Promise.all(devices.map((device) => device.dispose()));
      await plane.dispose();
    });

    const row = (on: Page, place: string): Locator =>
      on.getByRole('row').filter({ has: on.getByRole('checkbox', { name: `Select alice on ${place}` }) });
    const sudo = async (device: Device): Promise<string> =>
      (await device.run(['sudo', '-n', 'id', '-u'], { as: 'alice' })).stdout.trim();
    const rights = (): Promise<string[]> => Promise.all(devices.map(sudo));
    const visit = (name: string): Promise<void> =>
      page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name, exact: true }).click();

    it('the first owner signs in with the printed password and chooses another', async () => {
      await firstSignIn(page, plane);
    });

    it('devices enrol with the command that the console shows', async () => {
      await visit('Devices');
      await page.getByRole('button', { name: 'Add devices…' }).first().click();
      await page.getByRole('textbox', { name: 'Machines' }).fill(String(NAMES.length));
      await page.getByRole('button', { name: 'Make a join token' }).click();
      for (const device of devices) {
        const server = `${device.network.hostAddress}:${plane.port}`;
        await page.getByRole('textbox', { name: 'The server, as the machines reach it' }).fill(server);
        const field = page.getByRole('textbox', { name: 'Enrol the machine' });
        await eventually(async () => (await field.inputValue()).includes(server), WITHIN);
        const command = await field.inputValue();
        await device.must(['bash', '-c', `PATH=${DEVICE_BIN}:$PATH ${command}`], { timeoutMs: 60_000 });
        await startAgent(device);
        await plane.untilReported(device.name, 'alice');
      }
      await page.getByRole('button', { name: 'Close' }).last().click();
      for (const name of NAMES) await page.getByRole('link', { name }).first().waitFor();
    });

    it('people ask from the command line; the requests appear, and are approved in the console', async () => {
      await plane.json('users', 'create', 'alice', '--role', 'user');
      await visit('Requests');
      for (const device of devices) {
        const asked = await curfew(device, 'alice', 'request', '--for', '30m', '--reason', `work on ${device.name}`);
        assert.equal(asked.exitCode, 0, asked.stderr);
        await page.getByText(`work on ${device.name}`).first().waitFor();
      }
      for (const device of devices) {
        const request = page.getByRole('listitem').filter({ hasText: `work on ${device.name}` });
        await request.getByRole('button', { name: 'Approve' }).click();
        await page
          .getByRole('dialog')
          .getByRole('button', { name: /^Approve/ })
          .click();
        await request.waitFor({ state: 'detached' });
      }
      assert.deepEqual(await rights(), ['', '', ''], 'approved is not started');
    });

    it('a session appears when the person starts it, and its countdown runs', async () => {
      await visit('Active Sessions');
      await page.getByText('Nobody has admin rights now').waitFor();
      for (const device of devices) {
        const started = await curfew(device, 'alice', 'start');
        assert.equal(started.exitCode, 0, started.stderr);
        await row(page, device.name).getByText('active', { exact: true }).waitFor();
      }
      assert.deepEqual(await rights(), ['0', '0', '0']);
      const left = row(page, 'laptop-1').getByText(/^\d+m \d\ds$/);
      const first = await left.textContent();
      await eventually(async () => (await left.textContent()) !== first, WITHIN);
    });

    it('what one browser does the other sees; a server restart needs no reload', async () => {
      const { page: other, context } = await browser.open();
      await signInAsOwner(other, plane, '/sessions');
      await row(other, 'laptop-3').getByText('active', { exact: true }).waitFor();

      await plane.stop();
      await other.getByText('Reconnecting').waitFor();
      await plane.run();
      await other.getByText('Reconnecting').waitFor({ state: 'detached' });
      await page.getByText('Reconnecting').waitFor({ state: 'detached' });
      await Promise.all(
        NAMES.map((name) => row(other, name).getByText('device offline').waitFor({ state: 'detached' })),
      );

      await other.getByRole('button', { name: 'Actions for alice on laptop-3' }).click();
      await other.getByRole('menuitem', { name: 'Revoke…' }).click();
      await other.getByRole('dialog').getByRole('textbox', { name: 'Reason' }).fill('laptop 3 is done');
      // What has ended stays for some seconds alone: it is waited for from before it ends.
      await Promise.all([
        row(page, 'laptop-3').getByText(/revok/).waitFor(),
        row(page, 'laptop-3').getByText('revoked · confirmed').waitFor(),
        other.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click(),
      ]);
      assert.deepEqual(await rights(), ['0', '0', '']);
      await context.close();
    });

    it('several are selected and revoked; their rows end live, and sudo is refused on each device', async () => {
      for (const name of ['laptop-1', 'laptop-2'])
        await page.getByRole('checkbox', { name: `Select alice on ${name}` }).check();
      await page.getByRole('button', { name: 'Actions', exact: true }).click();
      await page.getByRole('menuitem', { name: 'Revoke 2 selected…' }).click();
      await page.getByRole('dialog').getByRole('textbox', { name: 'Reason' }).fill('the incident is over');
      // Of two rows the first may be gone again before the second device has confirmed.
      await Promise.all([
        ...['laptop-1', 'laptop-2'].map((name) => row(page, name).getByText('revoked · confirmed').waitFor()),
        page.getByRole('dialog').getByRole('button', { name: 'Revoke 2 sessions' }).click(),
      ]);
      await page.getByText('2 confirmed by the device').waitFor();
      assert.deepEqual(await rights(), ['', '', '']);
      await page.getByText('Nobody has admin rights now').waitFor();
    });

    it('a viewer sees all of it and can do none of it', async () => {
      await plane.json('users', 'create', 'vera', '--role', 'viewer');
      const { password } = await plane.json<{ password: string }>(
        'call',
        'SignInService/ResetPassword',
        '{"user":"vera"}',
      );
      const { page: viewer, context } = await browser.open();
      await viewer.goto(`${consoleOf(plane)}/devices`);
      await signIn(viewer, 'vera', password);
      await viewer.getByRole('textbox', { name: 'Password that you were given' }).fill(password);
      await viewer.getByRole('textbox', { name: 'New password', exact: true }).fill(OWNER_PASSWORD);
      await viewer.getByRole('textbox', { name: 'New password again' }).fill(OWNER_PASSWORD);
      await viewer.getByRole('button', { name: 'Change password' }).click();
      await viewer.getByRole('link', { name: 'laptop-1' }).waitFor();
      const add = viewer.getByRole('button', { name: 'Add devices…' });
      assert.equal(await add.getAttribute('aria-disabled'), 'true');
      await context.close();
    });

    it('the page has complained of nothing but the server that was away', () => {
      const others = complaints.filter((text) => !text.includes('Failed to load resource'));
      assert.deepEqual(others, []);
    });
  },
);
