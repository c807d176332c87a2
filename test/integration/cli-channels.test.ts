import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCli, type CliResult } from '../support/run-cli.js';
import { scratchFolder } from '../support/scratch.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

interface ChannelJson {
  readonly id: string;
  readonly name: string;
  readonly target: string;
  readonly eventTypes?: readonly string[];
  readonly disabled?: boolean;
  readonly hasSecret?: boolean;
  readonly slackUsers?: readonly { readonly slackId: string; readonly user: string }[];
}

describe('curfewctl channels', function () {
  this.timeout(180_000);
  let server: TestServer;
  let folder: string;
  let env: Record<string, string>;
  let receiver: WebhookReceiver;

  const ctl = (...args: string[]): Promise<CliResult> => runCli('curfewctl', ['channels', ...args], env);
  const list = async (): Promise<ChannelJson[]> => JSON.parse((await ctl('list', '-o', 'json')).out) as ChannelJson[];
  const auditSize = (): Promise<number> =>
    server.running.ledger.read(async (db) => (await db.selectFrom('audit_event').select('idx').execute()).length);

  before(async () => {
    folder = scratchFolder('channels');
    server = await startTestServer({
      CURFEW_DATA_DIR: join(folder, 'data'),
      CURFEW_NOTIFICATIONS_ALLOW_LOCAL_TARGETS: 'true',
    });
    env = { HOME: folder, CURFEW_SERVER: server.address, CURFEW_TOKEN: server.ownerToken, CURFEW_CA: server.caFile };
    receiver = await new WebhookReceiver().start();
  });
  after(async () => {
    await receiver.stop();
    await server.close();
    rmSync(folder, { recursive: true });
  });

  it('makes a webhook and shows its signing secret this once', async () => {
    const made = await ctl('put', 'hook', '--kind', 'webhook', '--target', receiver.url, '--event', 'user.');
    assert.equal(made.code, 0, made.err);
    receiver.secret = /signing secret:? +(whsec_\S+)/.exec(made.out)?.[1] ?? '';
    assert.match(receiver.secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
    for (const args of [['list'], ['list', '-o', 'json'], ['put', 'hook', '--event', 'user.']]) {
      const shown = await ctl(...args);
      assert.equal(shown.code, 0, shown.err);
      assert.ok(!`${shown.out}${shown.err}`.includes(receiver.secret.slice(6)), args.join(' '));
    }
    assert.equal((await list())[0]?.hasSecret, true);
  });

  it('changes only what is given', async () => {
    assert.equal((await ctl('put', 'HOOK', '--disable')).code, 0);
    const [one] = await list();
    assert.deepEqual([one?.name, one?.target, one?.eventTypes, one?.disabled], ['HOOK', receiver.url, ['user.'], true]);
    assert.equal((await ctl('put', 'hook', '--enable', '--all-events')).code, 0);
    const [two] = await list();
    assert.deepEqual([two?.id, two?.eventTypes, two?.disabled], [one?.id, undefined, undefined]);
  });

  it('tries a channel, shows what failed, and brings back what was given up', async () => {
    const tried = await ctl('test', 'hook');
    assert.deepEqual([tried.code, tried.out], [0, 'arrived: HTTP 204\n']);
    receiver.treat = () => 'fail';
    assert.deepEqual(await ctl('test', 'hook').then(({ code, out }) => [code, out]), [
      1,
      'failed: HTTP 500 it broke here\n',
    ]);
    await eventually(async () => /waiting +\d+ .* HTTP 500 it broke/.test((await ctl('deliveries', 'hook')).out), {
      withinMs: 60_000,
    });
    await server.running.ledger.write(async ({ db }) => {
      await db.updateTable('delivery').set({ state: 'dead', next_attempt_at_ms: null }).execute();
    });
    assert.match((await ctl('list')).out, /HOOK|hook/);
    assert.match((await ctl('deliveries', '--state', 'dead')).out, / dead /);
    receiver.treat = () => 'take';
    assert.match((await ctl('retry', 'hook')).out, /^[1-9]\d* back in line\n$/);
    await eventually(async () => (await ctl('deliveries', '--state', 'dead')).out === '', { withinMs: 60_000 });
    await eventually(async () => (await ctl('deliveries', '--state', 'waiting')).out === '', { withinMs: 60_000 });
    assert.equal(receiver.unsigned, 0);
  });

  it('takes secrets from a file or from stdin, and keeps them where nobody reads them', async () => {
    const token = 'xoxb-1234567890-secretsecret';
    const signing = '8f742231b10e8888abcd99yyyzzz85a5';
    const args = [
      'channels',
      'put',
      'slack',
      '--kind',
      'slack',
      '--target',
      'C0EXAMPLE9',
      '--disable',
      '--slack-user',
      'U0123=owner',
    ];
    const made = await runCli('curfewctl', [...args, '--secret-file', '-'], env, `${token} ${signing}\n`);
    assert.equal(made.code, 0, made.err);
    const file = join(folder, 'secret');
    writeFileSync(file, `whsec_${Buffer.alloc(32, 'k').toString('base64')}\n`, { mode: 0o600 });
    assert.equal((await ctl('put', 'hook', '--secret-file', file)).code, 0);
    const slack = (await list()).find(({ name }) => name === 'slack');
    assert.deepEqual(slack?.slackUsers, [{ slackId: 'U0123', user: 'owner' }]);
    const audit = await runCli('curfewctl', ['audit', 'export', '-'], env);
    const data = join(folder, 'data');
    const ledger = readdirSync(data)
      .filter((name) => name.startsWith('ledger.db'))
      .map((name) => readFileSync(join(data, name), 'latin1'))
      .join();
    for (const secret of [token, signing, Buffer.alloc(32, 'k').toString('base64').slice(0, 30)])
      for (const [where, text] of Object.entries({ audit: audit.out, ledger, made: `${made.out}${made.err}` }))
        assert.ok(!text.includes(secret), `${secret} in ${where}`);
  });

  for (const { name, args, says, code = 2 } of [
    { name: 'a new channel without a kind', args: ['put', 'x', '--target', 'x'], says: /needs --kind and --target/ },
    { name: 'a new channel without a target', args: ['put', 'x', '--kind', 'file'], says: /needs --kind and --target/ },
    {
      name: 'another kind',
      args: ['put', 'hook', '--kind', 'file', '--target', 'x'],
      says: /channel\.kind: is webhook and cannot be changed/,
    },
    {
      name: 'a password in an address',
      args: ['put', 'x', '--kind', 'webhook', '--target', 'https://u:p@example.com/'],
      says: /must not hold a user/,
    },
    {
      name: 'http elsewhere',
      args: ['put', 'x', '--kind', 'webhook', '--target', 'http://example.com/'],
      says: /must begin with https/,
    },
    {
      name: 'mail without a server for it',
      args: ['put', 'x', '--kind', 'mail', '--target', 'a@example.com'],
      says: /needs the options mail\.host/,
    },
    {
      name: 'Slack without a secret',
      args: ['put', 'x', '--kind', 'slack', '--target', 'C0EXAMPLE9'],
      says: /secret: is required/,
    },
    {
      name: 'people on what is not Slack',
      args: ['put', 'hook', '--slack-user', 'U0123=owner'],
      says: /slack_users: are for channels of the kind slack/,
    },
    {
      name: 'a user who is not there',
      args: ['put', 'slack', '--slack-user', 'U0123=nobody'],
      says: /USER_NOT_FOUND/,
      code: 1,
    },
    { name: 'a channel that is not there', args: ['test', 'nothing'], says: /CHANNEL_NOT_FOUND/, code: 1 },
    {
      name: 'a bad name',
      args: ['put', 'a b', '--kind', 'file', '--target', 'x'],
      says: /channel\.name: must be 1 to 64 letters/,
    },
  ] as { name: string; args: string[]; says: RegExp; code?: number }[])
    it(`refuses ${name}, and changes nothing`, async () => {
      const before = await auditSize();
      const result = await ctl(...args);
      assert.deepEqual([result.code, result.out], [code, ''], result.err);
      assert.match(result.err, says);
      assert.equal(await auditSize(), before);
    });

  it('removes a channel with what waits for it, and does not mind doing so twice', async () => {
    assert.equal((await ctl('delete', 'hook')).code, 0);
    assert.equal((await ctl('delete', 'hook')).code, 0);
    assert.deepEqual(
      (await list()).map(({ name }) => name),
      ['slack'],
    );
    assert.equal((await ctl('deliveries')).out, '');
  });
});

describe('channels of a server that allows no local targets', function () {
  this.timeout(180_000);
  let server: TestServer;
  let home: string;

  before(async () => {
    server = await startTestServer();
    home = scratchFolder('home');
  });
  after(async () => {
    await server.close();
    rmSync(home, { recursive: true });
  });

  for (const [kind, target] of [
    ['webhook', 'https://127.0.0.1/'],
    ['webhook', 'https://localhost:8443/x'],
    ['webhook', 'http://localhost/x'],
    ['webhook', 'https://2130706433/'],
    ['webhook', 'https://0x7f.1/'],
    ['webhook', 'https://[::ffff:169.254.169.254]/latest/meta-data'],
    ['webhook', 'https://169.254.169.254/'],
    ['webhook', 'https://[fe80::1]/'],
    ['syslog', 'tcp://127.0.0.1:514'],
    ['syslog', 'tls://[::1]:6514'],
    ['syslog', 'tcp://0177.0.0.1:514'],
    ['syslog', 'tcp://localhost:514'],
  ] as const)
    it(`cannot point at ${target}`, async () => {
      const env = {
        HOME: home,
        CURFEW_SERVER: server.address,
        CURFEW_TOKEN: server.ownerToken,
        CURFEW_CA: server.caFile,
      };
      const { code, out, err } = await runCli(
        'curfewctl',
        ['channels', 'put', 'x', '--kind', kind, '--target', target],
        env,
      );
      assert.deepEqual([code, out], [2, '']);
      assert.match(err, /channel\.target: .*TARGET_NOT_ALLOWED/);
      const left = await server.running.ledger.read((db) => db.selectFrom('channel').selectAll().execute());
      assert.deepEqual(left, []);
    });
});
