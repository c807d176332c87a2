import { PASSWORD } from '@curfew/console/fake-api';
import assert from 'node:assert/strict';
import { signIn, TestBrowser } from '../support/browser.js';
import { HttpClient } from '../support/http-client.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { ScriptedRecording } from '../support/scripted-recording.js';
import { startTestServer } from '../support/test-server.js';

describe('the replay before a real server', function () {
  this.timeout(60_000);
  const undo: (() => unknown)[] = [];
  afterEach(async () => {
    for (const one of undo.splice(0).reverse()) await one();
  });

  it('shows what a device records as it comes, with nothing that the server’s own policy forbids', async () => {
    const server = await startTestServer({ CURFEW_RECORDINGS_OF_DIRECT_GRANTS: 'output' });
    undo.push(() => server.close());
    const owner = new HttpClient(server.consoleUrl);
    const call = async (method: string, request: object): Promise<Record<string, unknown>> => {
      const { status, text, json } = await owner.call(method, request);
      assert.equal(status, 200, text);
      return json ?? {};
    };
    await owner.signIn('owner', server.ownerPassword);
    await call('SignInService/ChangePassword', { currentPassword: server.ownerPassword, newPassword: PASSWORD });
    const { secret } = await call('DeviceService/CreateJoinToken', { uses: 1 });
    const device = await ScriptedDevice.enroll(server, String(secret), 'web-1', ['carol']);
    undo.push(() => device.close());
    await call('UserService/CreateUser', { name: 'carol', role: 'ROLE_USER' });
    const granted = await call('SessionService/GrantSession', {
      user: 'carol',
      device: 'web-1',
      duration: '600s',
      reason: 'mend it',
    });
    const sessionId = String((granted['session'] as Record<string, unknown>)['id']);
    const recording = new ScriptedRecording(device, sessionId);
    await recording.write('at first\r\n');

    const browser = await TestBrowser.launch();
    undo.push(() => browser.close());
    const { page, complaints } = await browser.open();
    await page.goto(`${server.consoleUrl}/sessions?session=${sessionId}`);
    await signIn(page, 'owner', PASSWORD);
    await page.getByText('commands and output').waitFor();
    await page.getByRole('link', { name: '/usr/bin/id' }).click();
    const terminal = page.getByRole('group', { name: 'Terminal' });
    await page.getByRole('status').getByText('live', { exact: true }).waitFor();
    await terminal.getByText('at first').waitFor();
    await recording.write('a little later\r\n');
    await terminal.getByText('a little later').waitFor();
    await recording.write('at last\r\n', true);
    await terminal.getByText('at last').waitFor();
    await page.getByText('done').first().waitFor();
    assert.equal(await terminal.getByText('at first').count(), 1);
    assert.deepEqual(complaints, []);
    const { events } = await call('AuditService/ListAuditEvents', { typePrefix: 'recording.watched' });
    assert.equal((events as readonly unknown[]).length, 1);
  });
});
