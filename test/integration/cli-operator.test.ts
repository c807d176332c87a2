import assert from 'node:assert/strict';
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { parse } from 'yaml';
import { runCli, RunningCli, type CliResult } from '../support/run-cli.js';
import { scratchFolder } from '../support/scratch.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { eventually } from '../support/wait.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

interface SessionJson {
  readonly id: string;
  readonly state: string;
  readonly duration: string;
  readonly endReason?: string;
}

/** Where a CA is that this server has nothing to do with. */
const OTHERS = scratchFolder('others');

describe('curfewctl against a real server', function () {
  this.timeout(180_000);
  let server: TestServer;
  let device: ScriptedDevice;
  let home: string;
  let env: Record<string, string>;

  const ctl = (...args: string[]): Promise<CliResult> => runCli('curfewctl', args, env);
  const json = async <T>(...args: string[]): Promise<T> => {
    const result = await ctl('-o', 'json', ...args);
    assert.equal(result.code, 0, result.err);
    return JSON.parse(result.out) as T;
  };
  const grant = (user: string, ...more: string[]): Promise<CliResult> =>
    ctl('sessions', 'grant', '--user', user, '--device', device.id, '--for', '30m', '--reason', 'why', ...more);
  const live = (): Promise<SessionJson[]> => json<SessionJson[]>('sessions', 'list');
  const events = async (): Promise<number> => (await json<unknown[]>('audit', 'list')).length;

  before(async () => {
    server = await startTestServer();
    home = scratchFolder('home');
    writeFileSync(`${OTHERS}/ca.pem`, rootCertificates[0] ?? '');
    env = {
      HOME: home,
      CURFEW_SERVER: server.address,
      CURFEW_TOKEN: server.ownerToken,
      CURFEW_CA: server.running.caFile,
    };
    const created = await json<{ secret: string }>('devices', 'join-token', 'create');
    device = await ScriptedDevice.enroll(server, created.secret, 'web-1', ['alice', 'bob', 'carol']);
    for (const name of ['alice', 'bob', 'carol']) await json('users', 'create', name, '--role', 'user');
  });

  after(async () => {
    device.close();
    await server.close();
    for (const folder of [home, OTHERS]) rmSync(folder, { recursive: true, force: true });
  });

  afterEach(async () => {
    device.answers = true;
    await ctl('sessions', 'revoke', '--everything', '--reason', 'clean', '--wait');
  });

  it('gives a session, shows it, lengthens it, and ends it when the device has confirmed', async () => {
    const given = await grant('alice', '--wait', '-o', 'json');
    assert.equal(given.code, 0, given.err);
    const session = JSON.parse(given.out) as SessionJson;
    assert.deepEqual([session.state, session.duration], ['SESSION_STATE_ACTIVE', '1800s']);

    const table = await ctl('sessions', 'list');
    assert.match(table.out, /^ID +USER +DEVICE +ACCOUNT +STATE +LEFT +REASON\n/);
    assert.match(
      table.out,
      new RegExp(`^${session.id.slice(0, 12)} +alice +web-1 +alice +active +(30m|29m\\d+s) +why$`, 'm'),
    );

    const extended = await json<SessionJson>('sessions', 'extend', session.id.slice(4, 16), '--by', '15m');
    assert.equal(extended.duration, '2700s');

    const revoked = await ctl('sessions', 'revoke', session.id, '--reason', 'done', '--wait');
    assert.equal(revoked.code, 0, revoked.err);
    assert.match(revoked.err, /^revoke of 1 session: 1 effective$/m);
    const shown = await json<SessionJson>('sessions', 'show', session.id);
    assert.deepEqual([shown.state, shown.endReason], ['SESSION_STATE_ENDED', 'END_REASON_REVOKED']);
    assert.deepEqual(await live(), []);
  });

  it('tells accepted from effective while a device is silent, and times out with 3', async () => {
    const { id } = JSON.parse((await grant('alice', '--wait', '-o', 'json')).out) as SessionJson;
    device.answers = false;
    const accepted = await ctl('sessions', 'revoke', '--user', 'alice', '--reason', 'now');
    assert.equal(accepted.code, 0, accepted.err);
    assert.match(accepted.err, /1 accepted \(waiting for the device to confirm\)/);
    const waited = await ctl('sessions', 'revoke', id, '--reason', 'now', '--wait', '--timeout', '1s');
    assert.equal(waited.code, 3, waited.err);
    assert.equal((await live())[0]?.state, 'SESSION_STATE_ENDING');
    device.goOffline();
    device.answers = true;
    await device.goOnline();
    assert.equal((await ctl('sessions', 'revoke', id, '--reason', 'now', '--wait')).code, 0);
    assert.deepEqual(await live(), []);
  });

  it('shows a revoke as pending until a time while the device is offline, never as done', async () => {
    const given = JSON.parse((await grant('bob', '--wait', '-o', 'json')).out) as SessionJson;
    device.goOffline();
    const offline = async (): Promise<boolean> => (await json<unknown[]>('devices', 'list', '--offline')).length === 1;
    await eventually(offline, { withinMs: 30_000, what: 'the server notices that the link is gone' });
    try {
      const args = ['sessions', 'revoke', given.id, '--reason', 'gone', '--wait', '--timeout', '1s'];
      const table = await ctl(...args);
      assert.equal(table.code, 3, table.err);
      assert.match(table.err, /1 pending \(device out of reach; gone by itself no later than \d\d:\d\d:\d\d \(in /);
      assert.match(table.out, / pending /);
      const [result] = await json<{ outcome: string; diesByTime: string; effectiveTime?: string }[]>(
        ...args.slice(0, 5),
      );
      assert.equal(result?.outcome, 'REVOKE_OUTCOME_PENDING');
      assert.equal(result.effectiveTime, undefined);
      assert.ok(Date.parse(result.diesByTime) > 0);
      assert.match((await ctl('sessions', 'list')).out, /ending · waiting for device, offline since/);
    } finally {
      await device.goOnline();
    }
  });

  it('revokes everything with one summary', async () => {
    for (const name of ['alice', 'bob', 'carol']) assert.equal((await grant(name, '--wait')).code, 0);
    const all = await ctl('sessions', 'revoke', '--everything', '--reason', 'incident 7', '--wait', '-o', 'jsonl');
    assert.equal(all.code, 0, all.err);
    assert.match(all.err, /revoke of 3 sessions: 3 effective/);
    assert.equal(all.out.trimEnd().split('\n').length, 3);
    const none = await ctl('sessions', 'revoke', '--everything', '--reason', 'incident 7');
    assert.deepEqual([none.code, none.out], [0, '']);
    assert.match(none.err, /no live sessions; approvals that were not started are taken back/);
  });

  it('lets one device in again, and says what that ends', async () => {
    const made = await ctl('devices', 'join-token', 'create', '--for', 'web-1', '--ttl', '10m');
    assert.equal(made.code, 0, made.err);
    assert.match(
      made.err,
      /^for 'web-1' alone, whose sessions end and whose former key is refused from then on, until /,
    );
    const [, secret = ''] = /^echo (cfj1\.\S+) \| curfew-agent enroll --server /.exec(made.out) ?? [];
    const [token] = await json<{ id: string; deviceName: string; usesLeft: number }[]>('devices', 'join-token', 'list');
    assert.deepEqual([token?.deviceName, token?.usesLeft], ['web-1', 1]);
    assert.match((await ctl('devices', 'join-token', 'list')).out, /^ID +FOR +USES LEFT .*\n\S+ +web-1 +1 of 1 /);

    const both = await ctl('devices', 'join-token', 'create', '--for', 'web-1', '--uses', '2');
    assert.deepEqual([both.code, both.out], [2, '']);
    const nobody = await ctl('devices', 'join-token', 'create', '--for', 'web-9');
    assert.deepEqual([nobody.code, nobody.out], [1, '']);
    assert.match(nobody.err, /no device 'web-9'/);
    const before = await events();
    device.close();
    device = await ScriptedDevice.enroll(server, secret, 'web-1', ['alice', 'bob', 'carol']);
    assert.equal((await ctl('devices', 'list')).out.match(/ web-1 /g)?.length, 1);
    assert.match((await ctl('devices', 'show', 'web-1')).out, /^enrolled anew: +\S/m);
    assert.equal((await events()) > before, true);
    assert.match((await ctl('audit', 'list')).out, / device\.re_enrolled /);
    assert.match((await ctl('devices', 'join-token', 'list')).err, /no join tokens/);
  });

  it('watches sessions as JSON lines until it is interrupted', async () => {
    const watch = new RunningCli('curfewctl', ['sessions', 'watch', '--user', 'carol'], env);
    await grant('carol', '--wait');
    await watch.until(/"state":"SESSION_STATE_ACTIVE"/);
    await ctl('sessions', 'revoke', '--user', 'carol', '--reason', 'x', '--wait');
    await watch.until(/"state":"SESSION_STATE_ENDED"/);
    watch.signal('SIGINT');
    const { code, out, err } = await watch.result();
    assert.deepEqual([code, err], [130, '']);
    for (const line of out.trimEnd().split('\n')) assert.match((JSON.parse(line) as SessionJson).id, /^ses-/);
  });

  it('shows in a watch that the device of a session has gone out of reach, and that it is back', async () => {
    await grant('alice', '--wait');
    const watch = new RunningCli('curfewctl', ['sessions', 'watch', '-o', 'table'], env);
    await watch.until(/ web-1 {2}active\n/);
    device.goOffline();
    await watch.until(/ active · device offline since \d\d:\d\d:\d\d\n/);
    await device.goOnline();
    await watch.until(/offline since .*\n.* active\n$/);
    watch.signal('SIGTERM');
    assert.equal((await watch.result()).code, 143);
  });

  it('decides requests, and shows what the person wrote', async () => {
    const ask = (name: string): Promise<string> =>
      new Promise((resolve, reject) =>
        device.link.createAccessRequest(
          {
            account: device.account(name),
            duration: { seconds: 600n, nanos: 0 },
            reason: `for ${name}`,
            options: undefined,
            ticket: '',
            breakGlass: false,
            resource: '',
            resourceAccount: '',
          },
          (error, answer) => (error === null ? resolve(answer.request?.id ?? '') : reject(error)),
        ),
      );
    const [first, second] = [await ask('alice'), await ask('bob')];
    assert.match((await ctl('requests', 'list')).out, /alice +web-1 +alice +10m +pending, .* left +\S+ ago +for alice/);
    const approved = await ctl('requests', 'approve', first, '--for', '5m', '--reason', 'fine');
    assert.equal(approved.code, 0, approved.err);
    assert.match(approved.err, /^approved for 5m: alice can start it on web-1 until /);
    const longer = await ctl('requests', 'approve', second, '--for', '20m');
    assert.deepEqual([longer.code, longer.out], [1, '']);
    assert.match(longer.err, /\[DURATION_TOO_LONG\]/);
    assert.equal((await ctl('requests', 'deny', second, '--reason', 'no ticket')).code, 0);
    const again = await ctl('requests', 'deny', second, '--reason', 'no ticket');
    assert.deepEqual([again.code, again.err.includes('[REQUEST_NOT_PENDING]')], [1, true]);
    const states = await json<{ state: string }[]>('requests', 'list', '--all');
    assert.deepEqual(states.map(({ state }) => state).sort(), [
      'ACCESS_REQUEST_STATE_APPROVED',
      'ACCESS_REQUEST_STATE_DENIED',
    ]);
  });

  it('keeps a sign-in that works, and only that, in a file of the owner', async () => {
    const own = scratchFolder('login');
    const alone = { HOME: own };
    const file = join(own, '.config', 'curfew', 'config.yaml');
    const login = (token: string, fingerprint: string): Promise<CliResult> =>
      runCli('curfewctl', ['login', '--server', server.address, '--ca-fingerprint', fingerprint], alone, `${token}\n`);
    const wrongToken = await login('cft1.nonsense', server.running.caFingerprint);
    assert.equal(wrongToken.code, 4, wrongToken.err);
    const wrongServer = await login(server.ownerToken, 'a'.repeat(64));
    assert.equal(wrongServer.code, 1);
    assert.match(wrongServer.err, /somebody is in between/);
    assert.throws(() => statSync(file), /ENOENT/);

    assert.equal((await login(server.ownerToken, server.running.caFingerprint)).code, 0);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const me = await runCli('curfewctl', ['whoami', '-o', 'yaml'], alone);
    assert.deepEqual((parse(me.out) as { role: string }).role, 'ROLE_OWNER');

    const loose = `${readFileSync(file, 'utf8')}surprise: yes\n`;
    writeFileSync(file, loose);
    const unknown = await runCli('curfewctl', ['whoami'], alone);
    assert.deepEqual([unknown.code, unknown.out], [1, '']);
    assert.match(unknown.err, /has 'surprise'/);
    chmodSync(file, 0o644);
    assert.match((await runCli('curfewctl', ['whoami'], alone)).err, /can be read by others/);
    rmSync(own, { recursive: true });
  });

  for (const { name, args, more = {}, code, err } of [
    { name: 'a bare number', args: ['sessions', 'extend', 'x', '--by', '15'], code: 2, err: /write 15m for minutes/ },
    {
      name: 'two selections',
      args: ['sessions', 'revoke', 'a', '--everything', '--reason', 'x'],
      code: 2,
      err: /exactly one of/,
    },
    { name: 'no selection', args: ['sessions', 'revoke', '--reason', 'x'], code: 2, err: /exactly one of/ },
    { name: 'no reason', args: ['sessions', 'revoke', '--everything'], code: 2, err: /--reason/ },
    { name: 'an odd order', args: ['sessions', 'list', '--order-by', 'colour'], code: 2, err: /ORDER_BY_INVALID/ },
    { name: 'an odd id', args: ['sessions', 'show', 'A\u001b[2J'], code: 2, err: /FIELD_INVALID/ },
    {
      name: 'a reason with escapes',
      args: ['sessions', 'revoke', '--everything', '--reason', 'a\u001b[2J'],
      code: 2,
      err: /reason: .*FIELD_INVALID/,
    },
    { name: 'an unknown id', args: ['sessions', 'show', 'ses-000000'], code: 1, err: /SESSION_NOT_FOUND/ },
    { name: 'a bad token', args: ['whoami'], more: { CURFEW_TOKEN: 'cft1.x' }, code: 4, err: /NOT_SIGNED_IN/ },
    {
      name: 'no settings',
      args: ['whoami'],
      more: { CURFEW_TOKEN: '', HOME: '/nonexistent' },
      code: 4,
      err: /NOT_SIGNED_IN/,
    },
    {
      name: 'a dead server',
      args: ['whoami'],
      more: { CURFEW_SERVER: '127.0.0.1:1' },
      code: 5,
      err: /127\.0\.0\.1:1: connect ECONNREFUSED 127\.0\.0\.1:1 \[SERVER_UNREACHABLE\]\n$/,
    },
    {
      name: "another server's CA",
      args: ['whoami'],
      more: { CURFEW_CA: `${OTHERS}/ca.pem` },
      code: 5,
      err: /certificate.*: the CA at hand is not this server's; give --ca \[SERVER_UNREACHABLE\]\n$/,
    },
    { name: 'an odd server', args: ['whoami', '--server', 'a b'], code: 2, err: /--server <host:port>/ },
    { name: 'no such method', args: ['call', 'SessionService/Nothing'], code: 2, err: /no method/ },
    { name: 'no such field', args: ['call', 'SessionService/ListSessions', '{"colour":1}'], code: 2, err: /colour/ },
    { name: 'no JSON', args: ['call', 'SessionService/ListSessions', '{'], code: 2, err: /not JSON/ },
  ] as { name: string; args: string[]; more?: Record<string, string>; code: number; err: RegExp }[])
    it(`ends with ${code} on ${name}, prints no data and changes nothing`, async () => {
      const before = await events();
      const result = await runCli('curfewctl', args, { ...env, ...more });
      assert.deepEqual([result.code, result.out], [code, ''], result.err);
      assert.match(result.err, err);
      assert.doesNotMatch(result.err, /\u001b/); // eslint-disable-line no-control-regex -- what must not be there
      assert.equal(await events(), before);
    });

  it('calls any method with JSON from an argument or stdin, and prints streams as lines', async () => {
    const list = await ctl('call', 'curfew.admin.v1.UserService/ListUsers', '{"pageSize":1}');
    assert.equal((JSON.parse(list.out) as { users: unknown[] }).users.length, 1);
    const piped = await runCli('curfewctl', ['call', 'UserService/GetUser', '-'], env, '{"user":"alice"}');
    assert.equal((JSON.parse(piped.out) as { user: { name: string } }).user.name, 'alice');
    const stream = await ctl('call', 'AuditService/ExportAuditLog');
    assert.ok(
      stream.out
        .trimEnd()
        .split('\n')
        .every((line) => typeof JSON.parse(line) === 'object'),
    );
  });

  it('exports the audit log, and finds every kind of change to the export', async () => {
    const file = join(home, 'audit.jsonl');
    assert.equal((await ctl('audit', 'export', file)).code, 0);
    const verify = (): Promise<CliResult> => runCli('curfewctl', ['audit', 'verify', file], { HOME: home });
    assert.equal((await verify()).code, 0);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const [zero = '', one = '', two = '', ...rest] = lines;
    const seal = rest.at(-1) ?? '';
    const changed = zero.replace(/"record":"./, (text) => (text.endsWith('A') ? '"record":"B' : '"record":"A'));
    for (const [what, forged] of [
      ['changed', [changed, one, two, ...rest]],
      ['removed', [zero, two, ...rest]],
      ['swapped', [zero, two, one, ...rest]],
      ['cut off', [zero, one, seal]],
      ['appended', [...lines, zero]],
      ['without its checkpoint', lines.slice(0, -1)],
      ['with something unsigned', [zero.replace('{', '{"note":"x",'), one, two, ...rest]],
    ] as const) {
      writeFileSync(file, `${forged.join('\n')}\n`);
      const found = await verify();
      assert.equal(found.code, 1, `${what}: ${found.out}`);
      assert.match(found.out, /NOT INTACT/);
    }
  });
});
