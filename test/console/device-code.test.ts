import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { consoleStage } from '../support/console-stage.js';

describe('signing in a command line in a browser', function () {
  this.timeout(60_000);
  const stage = consoleStage();
  const { open } = stage;
  const button = (page: Page, name: string): Locator => page.getByRole('button', { name, exact: true });
  const decided = (): string => stage.host.api.world.deviceCodes.get('seed')?.decided ?? '';

  it('shows who asks before it can be allowed', async () => {
    const page = await open('/device?code=ABCD-EFGH');
    for (const text of ['curfewctl on laptop-alice', '192.0.2.17'])
      await page.getByText(text, { exact: true }).waitFor();
    await page.getByText(/^If somebody sent you this link or this code, refuse it/).waitFor();
    assert.equal(decided(), 'waiting');
    await button(page, 'Allow').click();
    await page.getByText('The command line is signed in').waitFor();
    assert.equal(decided(), 'approved');
  });

  it('lets nobody in who was refused', async () => {
    const page = await open('/device?code=abcdefgh');
    await page.getByText('curfewctl on laptop-alice', { exact: true }).waitFor();
    await button(page, 'Refuse').click();
    await page.getByText('The command line was refused').waitFor();
    assert.equal(decided(), 'denied');
  });

  it('says that a code is none, or is over, and allows nothing then', async () => {
    const page = await open('/device');
    const field = page.getByRole('textbox', { name: 'Code that the terminal shows' });
    await field.fill('ABCD');
    assert.equal(await button(page, 'Allow').isDisabled(), true, 'it is not whole');
    await field.fill('WXYZ-WXYZ');
    await page.getByText('Nothing can be allowed with this code').waitFor();
    await page.getByText(/there is no such code; it was used, or is too old/i).waitFor();
    for (const name of ['Allow', 'Refuse']) assert.equal(await button(page, name).isDisabled(), true, name);
    await field.fill('abcd efgh');
    await page.getByText('curfewctl on laptop-alice', { exact: true }).waitFor();
    assert.equal(await button(page, 'Allow').isEnabled(), true);
    assert.equal(decided(), 'waiting');
  });
});
