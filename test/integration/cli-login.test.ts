import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { HttpClient } from '../support/http-client.js';
import { runCli, RunningCli, type CliResult } from '../support/run-cli.js';
import { scratchFolder } from '../support/scratch.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const PASSWORD = 'correct horse battery';

describe('signing in with curfewctl', function () {
  this.timeout(120_000);
  let server: TestServer;
  let home: string;
  let owner: HttpClient;

  before(async () => {
    server = await startTestServer();
    home = scratchFolder('cli-login');
    owner = new HttpClient(server.consoleUrl);
    await owner.signIn('owner', server.ownerPassword);
    await changePassword(server.ownerPassword, PASSWORD);
  });
  after(async () => {
    await server.close();
    rmSync(home, { recursive: true });
  });

  async function changePassword(currentPassword: string, newPassword: string): Promise<void> {
    const answer = await owner.call('SignInService/ChangePassword', { currentPassword, newPassword });
    assert.equal(answer.status, 200, answer.text);
  }
  const file = (): string => join(home, '.config', 'curfew', 'config.yaml');
  const login = (...args: string[]): string[] => [
    ...['login', '--server', server.address, '--ca', server.caFile, '--console', server.consoleUrl],
    ...args,
  ];
  const curfewctl = (args: readonly string[], input?: string): Promise<CliResult> =>
    runCli('curfewctl', args, { HOME: home }, input);
  const tokens = async (): Promise<string[]> => {
    const answer = await owner.call('UserService/ListApiTokens');
    return (answer.json?.['apiTokens'] as { label: string }[]).map(({ label }) => label).sort();
  };

  it('by the device flow: a code that is approved in the console becomes a token', async () => {
    const tool = new RunningCli('curfewctl', login('--device'), { HOME: home });
    await tool.until(/approve the code [A-Z]{4}-[A-Z]{4}/);
    const userCode = /code ([A-Z]{4}-[A-Z]{4})/.exec(tool.err)?.[1] ?? '';
    assert.ok(tool.err.includes(`${server.consoleUrl}/device?code=${userCode}`), tool.err);

    const shown = await owner.post('/auth/device/show', { userCode });
    assert.match(String(shown.json?.['client']), /^curfewctl on /);
    assert.deepEqual(Object.keys(shown.json ?? {}), ['client', 'address', 'createTime']);
    assert.equal(shown.json?.['address'], '127.0.0.1');
    assert.match(String(shown.json['createTime']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const stranger = await new HttpClient(server.consoleUrl).post('/auth/device/approve', { userCode, approve: true });
    assert.deepEqual([stranger.status, stranger.json?.['code']], [401, 'NOT_SIGNED_IN']);
    assert.equal((await owner.post('/auth/device/approve', { userCode, approve: true })).status, 204);

    const result = await tool.result();
    assert.equal(result.code, 0, result.err);
    assert.match(result.err, /signed in to \S+ as owner \(owner\)/);
    const me = await curfewctl(['whoami']);
    assert.match(me.out, /signed in with: +API token 'curfewctl on /);
    const again = await owner.post('/auth/device/approve', { userCode, approve: true });
    assert.equal(again.json?.['code'], 'AUTHORIZATION_EXPIRED', 'a code works once');

    const before = await tokens();
    assert.equal((await curfewctl(['logout'])).code, 0);
    assert.ok(!existsSync(file()));
    assert.equal((await tokens()).length, before.length - 1, 'the token has stopped working');
    assert.equal((await curfewctl(['logout'])).code, 0);
    assert.equal((await curfewctl(['whoami'])).code, 4);
  });

  it('by the device flow: who is denied gets nothing', async () => {
    const before = await tokens();
    const tool = new RunningCli('curfewctl', login('--device'), { HOME: home });
    await tool.until(/approve the code/);
    const userCode = /code ([A-Z]{4}-[A-Z]{4})/.exec(tool.err)?.[1] ?? '';
    assert.equal((await owner.post('/auth/device/approve', { userCode, approve: false })).status, 204);
    const result = await tool.result();
    assert.equal(result.code, 1);
    assert.match(result.err, /AUTHORIZATION_DENIED/);
    assert.ok(!existsSync(file()));
    assert.deepEqual(await tokens(), before);
  });

  it('a tool that was let in goes with its sign-in when the password changes', async () => {
    const other = new HttpClient(server.consoleUrl);
    await other.signIn('owner', PASSWORD);
    const tool = new RunningCli('curfewctl', login('--device'), { HOME: home });
    await tool.until(/approve the code/);
    const userCode = /code ([A-Z]{4}-[A-Z]{4})/.exec(tool.err)?.[1] ?? '';
    assert.equal((await other.post('/auth/device/approve', { userCode, approve: true })).status, 204);
    assert.equal((await tool.result()).code, 0);
    assert.equal((await curfewctl(['whoami'])).code, 0);
    await changePassword(PASSWORD, `${PASSWORD}!`);
    assert.equal((await curfewctl(['whoami'])).code, 4);
    await changePassword(`${PASSWORD}!`, PASSWORD);
    assert.equal((await curfewctl(['logout'])).code, 0);
  });

  it('by name and password, which is on no command line and in no file', async () => {
    const wrong = await curfewctl(login('--name', 'owner', '--password-stdin'), 'wrong wrong wrong\n');
    assert.equal(wrong.code, 4, wrong.err);
    assert.match(wrong.err, /SIGN_IN_FAILED/);
    assert.ok(!existsSync(file()));
    const right = await curfewctl(login('--name', 'Owner', '--password-stdin'), `${PASSWORD}\n`);
    assert.equal(right.code, 0, right.err);
    assert.ok(!readFileSync(file(), 'utf8').includes(PASSWORD));
    const open = await owner.call('SignInService/ListSignIns');
    assert.equal((open.json?.['signIns'] as unknown[]).length, 1, 'the tool has signed out again');
    assert.equal((await curfewctl(['whoami'])).code, 0);
    await changePassword(PASSWORD, `${PASSWORD}!`);
    assert.equal((await curfewctl(['whoami'])).code, 4, 'it goes with the password');
    await changePassword(`${PASSWORD}!`, PASSWORD);
  });

  it('a token that was given is kept, and works on after logout', async () => {
    assert.equal((await curfewctl(login('--token', server.ownerToken))).code, 0);
    assert.equal((await curfewctl(['logout'])).code, 0);
    assert.equal((await curfewctl(login('--token', server.ownerToken))).code, 0);
  });

  it('a new user gets a one-time password, which a tool cannot sign in with', async () => {
    assert.equal((await curfewctl(login('--token', server.ownerToken))).code, 0);
    const made = await curfewctl(['users', 'create', 'carol', '--role', 'viewer', '--password']);
    assert.equal(made.code, 0, made.err);
    const refused = await curfewctl(login('--name', 'carol', '--password-stdin'), made.out);
    assert.equal(refused.code, 1, refused.err);
    assert.match(refused.err, /change it in the console: http:\/\/127.0.0.1:\d+\n.*PASSWORD_CHANGE_REQUIRED/s);
    const reset = await curfewctl(['users', 'reset-password', 'carol', '-o', 'json']);
    const { password } = JSON.parse(reset.out) as { password: string };
    assert.equal((await new HttpClient(server.consoleUrl).signIn('carol', made.out.trim())).status, 401);
    assert.equal((await new HttpClient(server.consoleUrl).signIn('carol', password)).status, 200);
  });

  it('sends no password in the clear to another machine', async () => {
    const args = ['login', '--server', server.address, '--ca', server.caFile, '--name', 'owner', '--password-stdin'];
    const refused = await curfewctl([...args, '--console', 'http://192.0.2.1:7080'], `${PASSWORD}\n`);
    assert.equal(refused.code, 2, refused.err);
  });
});
