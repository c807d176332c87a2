import { RequestAccessRequest, RequestServiceService, SessionServiceService, StartRequest } from '@curfew/proto';
import { hasUnsafeText } from '@curfew/shared';
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { ApiClient, refusalOf } from '../support/api-client.js';
import { ControlPlane } from '../support/control-plane.js';
import { DEVICE_BIN } from '../support/device-init.js';
import { Device } from '../support/device.js';
import type { DeviceProcess } from '../support/device-process.js';
import { callAgent, localCall, type LocalCall } from '../support/local-calls.js';
import { describeOn } from '../support/machine-needs.js';
import type { ToolResult } from '../support/tool.js';
import { eventually } from '../support/wait.js';

/** Names that useradd takes, some with --badname, each with a reading in sudoers, a shell, a path, HTML or a sheet. */
const TAKEN = [
  'ALL',
  '%wheel',
  '%sudo',
  'a,ALL',
  'a b',
  'x y',
  'DOMAIN\\user',
  'u@corp',
  'a=b',
  'Ja_Alice',
  'UP',
  'é😀',
  '!x',
  '"q"',
  "'s'",
  'a\\nb',
  '~',
  '$(id)',
  '`id`',
  '=cmd()',
  '<b>x',
  'usr-00000000000000000000',
  'n'.repeat(32),
];

/** People who might gain a right if one of those names were read as something else. */
const BYSTANDERS = ['control', 'a', 'b', 'x', 'y', 'user', 'u', 'ja_alice', 'up', 'id', 'q'];

interface RefusedAccount {
  readonly what: string;
  /** The name as it stands in /etc/passwd, byte for byte in latin1. */
  readonly line: string;
  readonly uid: number;
  readonly why: RegExp;
}

const utf8 = (text: string): string => Buffer.from(text).toString('latin1');
const UNSEEN = /holds characters that nobody can see/;
const UNKNOWN = /this machine does not know it/;

const REFUSED: readonly RefusedAccount[] = [
  { what: 'a path', line: '../x', uid: 3001, why: /reads as a path/ },
  { what: 'the folder above', line: '..', uid: 3002, why: /reads as a path/ },
  { what: 'a name with a slash', line: 'a/b', uid: 3003, why: /reads as a path/ },
  { what: 'digits', line: '65000', uid: 3004, why: /reads as a uid/ },
  { what: 'a bidirectional override', line: utf8('\u202eecila'), uid: 3005, why: UNSEEN },
  { what: 'a zero-width space', line: utf8('ali\u200bce'), uid: 3006, why: UNSEEN },
  { what: 'an escape sequence', line: 'a\u001b[2Jb', uid: 3007, why: UNSEEN },
  { what: 'a tab', line: 'a\tb', uid: 3008, why: UNSEEN },
  { what: 'a C1 control', line: utf8('a\u009b2J'), uid: 3009, why: UNSEEN },
  { what: 'a blank at the end', line: 'root ', uid: 3010, why: UNSEEN },
  { what: 'bytes that are no UTF-8', line: 'a\xff\xfe', uid: 3011, why: /is not UTF-8 text/ },
  { what: '300 characters', line: 'n'.repeat(300), uid: 3012, why: /is longer than 255 bytes/ },
  { what: 'a comment to the system', line: '#0', uid: 3013, why: UNKNOWN },
  { what: 'a netgroup to the system', line: '+ng', uid: 3014, why: UNKNOWN },
  { what: 'an exclusion to the system', line: '-rf', uid: 3015, why: UNKNOWN },
  { what: 'root by another name', line: 'toor', uid: 0, why: /is root already/ },
  { what: 'nobody', line: 'someone', uid: 65_534, why: /not a person's/ },
  { what: 'the highest uid', line: 'highest', uid: 4_294_967_294, why: /not a person's/ },
  { what: 'a uid that is negative to some', line: 'negative', uid: 2 ** 31, why: /not a person's/ },
  { what: 'a system account', line: 'service', uid: 500, why: /its uid is below 1000/ },
  { what: 'one uid of two names', line: 'first', uid: 3020, why: /its uid belongs to 'second' as well/ },
  { what: 'one name of two uids', line: 'twice', uid: 3021, why: /its name belongs to uid 3022 as well/ },
];

const PERSON = `${DEVICE_BIN}/curfew`;

interface AccountJson {
  readonly name: string;
  readonly uid?: number;
}

describeOn(['devices'], 'accounts with hostile names', function () {
  this.timeout(400_000);
  let plane: ControlPlane;
  let device: Device;
  let agent: DeviceProcess;
  let operator: ApiClient;
  const uids = new Map<string, number>();

  /** Runs a program as a uid, whatever its account is called. */
  const asUid = (uid: number, argv: readonly string[]): Promise<ToolResult> =>
    device.run(['setpriv', `--reuid=${uid}`, '--regid=65534', '--clear-groups', '--', ...argv]);
  /** Which of the uids sudo makes root now, asked as each of them. Others must be refused for the lack of a rule. */
  const rootUids = async (asked: readonly number[]): Promise<number[]> => {
    const one = 'setpriv --reuid=$uid --regid=65534 --clear-groups -- sudo -n id -u 2>&1 | tail -n 1';
    const answers = (await device.must(['bash', '-c', `for uid; do ${one}; done`, 'as', ...asked.map(String)])).split(
      '\n',
    );
    assert.equal(answers.length, asked.length);
    for (const answer of answers) assert.match(answer, /^(0|sudo: a password is required)$/);
    return asked.filter((_, at) => answers[at] === '0');
  };
  const uidsOf = (names: readonly string[]): number[] => names.map((name) => uids.get(name)!);
  const request = (uid: number, reason: string): LocalCall =>
    localCall(uid, 'requestAccess', RequestAccessRequest, {
      duration: { seconds: 1800n, nanos: 0 },
      reason,
      options: undefined,
      ticket: '',
      breakGlass: false,
      resource: '',
      resourceAccount: '',
    });
  const assertNobodyElse = async (): Promise<void> => {
    assert.deepEqual(await rootUids(uidsOf(BYSTANDERS)), []);
    const listed = await device.must(['bash', '-c', 'for name; do sudo -n -l -U "$name"; done', 'list', ...BYSTANDERS]);
    assert.equal(
      listed.split('\n').filter((line) => line.includes('is not allowed to run sudo')).length,
      BYSTANDERS.length,
    );
  };
  const auditSize = async (): Promise<number> =>
    (await plane.json<unknown[]>('audit', 'list', '--limit', '9999')).length;

  before(async () => {
    plane = await ControlPlane.start();
    device = await Device.start({ name: 'web-1' });
    await device.must(['groupadd', '-f', 'wheel']);
    for (const name of [...BYSTANDERS, ...TAKEN])
      await device.must(['useradd', '--badname', '-M', '-d', '/nonexistent', '-s', '/bin/bash', '--', name]);
    await device.must(['usermod', '-aG', 'wheel', 'control']);
    const entry = (line: string, uid: number): string => `${line}:*:${uid}:65534::/nonexistent:/bin/bash\n`;
    const lines =
      REFUSED.map(({ line, uid }) => entry(line, uid)).join('') + entry('second', 3020) + entry('twice', 3022);
    appendFileSync(`${device.root}/etc/passwd`, Buffer.from(lines, 'latin1'));
    for (const line of (await device.must(['cat', '/etc/passwd'])).split('\n')) {
      const [name = '', , uid] = line.split(':');
      if (!uids.has(name)) uids.set(name, Number(uid));
    }
    agent = await plane.join(device);
    const { CURFEW_SERVER: server, CURFEW_TOKEN: token, CURFEW_CA: ca } = plane.operatorEnv;
    operator = new ApiClient(server!, ca!, { token: token! });
    await eventually(
      async () => (await plane.json<{ accounts?: unknown[] }>('devices', 'show', 'web-1')).accounts !== undefined,
      { withinMs: 10_000, what: 'the accounts of the device' },
    );
  });

  after(async () => {
    operator.close();
    await device.dispose();
    await plane.dispose();
  });

  it('that could be mistaken are refused, for themselves and for operators, and leave nothing behind', async () => {
    const before = await auditSize();
    const answers = await callAgent(
      device,
      REFUSED.map(({ uid }) => request(uid, 'why')),
    );
    for (const [at, { what, why }] of REFUSED.entries()) {
      assert.equal(answers[at]?.refusal?.code, 'ACCOUNT_INELIGIBLE', what);
      assert.match(answers[at].refusal.text, why, what);
    }
    for (const { uid, why } of REFUSED.filter(({ line }) =>
      ['a\u001b', 'a\xff'].some((start) => line.startsWith(start)),
    )) {
      const asked = await asUid(uid, [PERSON, 'request', '--for', '5m', '--reason', 'why']);
      assert.equal(asked.exitCode, 1, asked.stdout);
      assert.match(asked.stderr, why);
      assert.ok(!hasUnsafeText(asked.stderr.trimEnd()), asked.stderr);
    }
    const unknown = await asUid(5_555, [PERSON, 'request', '--for', '5m', '--reason', 'why']);
    assert.match(unknown.stderr, /the account 'uid 5555' cannot be elevated: this machine does not know it/);
    for (const name of [...REFUSED.map(({ line }) => Buffer.from(line, 'latin1').toString('utf8')), 'root', 'second']) {
      const grant = {
        user: 'owner',
        device: 'web-1',
        account: name.slice(0, 256),
        duration: { seconds: 60n, nanos: 0 },
      };
      const wish = { ...grant, resource: '', reason: 'why', options: undefined };
      const refusal = await refusalOf(operator.unary(SessionServiceService.grantSession, wish));
      assert.match(refusal?.code ?? '', /^(ACCOUNT_INELIGIBLE|ACCOUNT_NOT_FOUND|SELF_APPROVAL)$/, JSON.stringify(name));
    }
    assert.equal(await auditSize(), before);
    assert.equal(await device.must(['ls', '-A', '/run/curfew/sudoers.d']), '');
  });

  it('get their own right and nobody else does', async () => {
    const asked = await callAgent(
      device,
      TAKEN.map((name) => request(uids.get(name)!, `I am ${name}`)),
    );
    for (const [at, name] of TAKEN.entries()) assert.equal(asked[at]?.refusal, undefined, name);
    const { requests } = await operator.unary(RequestServiceService.listAccessRequests, {
      filter: undefined,
      orderBy: '',
      pageSize: 0,
      pageToken: '',
    });
    assert.deepEqual(requests.map(({ account }) => account?.name).sort(), [...TAKEN].sort());
    for (const { id } of requests)
      await operator.unary(RequestServiceService.approveAccessRequest, {
        requestId: id,
        reason: '',
        duration: undefined,
      });
    const started = await callAgent(
      device,
      TAKEN.map((name) => localCall(uids.get(name)!, 'start', StartRequest, { requestId: '' })),
    );
    for (const [at, name] of TAKEN.entries()) assert.equal(started[at]?.refusal, undefined, name);
    assert.deepEqual(await rootUids(uidsOf(TAKEN)), uidsOf(TAKEN));
    await assertNobodyElse();
    const nobody = REFUSED.map(({ uid }) => uid).filter((uid) => uid >= 3_000 && uid < 3_010);
    assert.deepEqual(await rootUids(nobody), []);
  });

  it('stand in no rule: each holds one uid and nothing of a name', async () => {
    assert.match(await device.must(['visudo', '-c']), /parsed OK/);
    const files = (await device.must(['ls', '-A', '/run/curfew/sudoers.d'])).split('\n');
    assert.equal(files.length, TAKEN.length);
    const seen: number[] = [];
    const script =
      'cd /run/curfew/sudoers.d; for file in *; do cat $file; echo ===; cvtsudoers -f json $file; echo ---; done';
    for (const part of (await device.must(['bash', '-c', script])).split('---\n').filter(Boolean)) {
      const [text = '', json = ''] = part.split('===\n');
      const parsed = JSON.parse(json.replace(/---$/, '')) as { User_Specs: { User_List: { userid: number }[] }[] };
      const [only] = parsed.User_Specs;
      const uid = only?.User_List[0]?.userid ?? 0;
      assert.deepEqual(
        parsed.User_Specs.map(({ User_List: list }) => list),
        [[{ userid: uid }]],
      );
      const rule = new RegExp(
        `^# Curfew.*\\nDefaults:#${uid} timestamp_timeout=0, ` +
          `log_servers\\+=127\\.0\\.0\\.1:6(1[4-9]|2[0-3]), log_server_timeout=5\\n` +
          `#${uid} ALL=\\(ALL:ALL\\) NOTAFTER=\\d{14}Z NOPASSWD: ALL\\n$`,
      );
      assert.match(text, rule);
      seen.push(uid);
    }
    assert.deepEqual(seen.sort(), TAKEN.map((name) => uids.get(name)!).sort());
  });

  it('are shown on terminals without escapes, and faithfully in JSON', async () => {
    for (const list of [
      ['requests', 'list', '--all'],
      ['sessions', 'list', '--all'],
      ['devices', 'show', 'web-1'],
      ['users', 'list'],
      ['audit', 'list', '--limit', '9999'],
    ]) {
      const { stdout, stderr } = await plane.curfewctl(...list);
      assert.ok(stdout.length > 0, stderr);
      for (const line of stdout.split('\n')) assert.ok(!hasUnsafeText(line), JSON.stringify(line));
    }
    const sessions = await plane.json<{ account: AccountJson; reason: string; userName: string }[]>('sessions', 'list');
    assert.deepEqual(sessions.map(({ account }) => account.name).sort(), [...TAKEN].sort());
    for (const { account, reason } of sessions) assert.equal(reason, `I am ${account.name}`);
    const shown = await plane.json<{ accounts: AccountJson[] }>('devices', 'show', 'web-1');
    const reported = new Map(shown.accounts.map(({ uid, name }) => [uid, name]));
    for (const name of TAKEN) assert.equal(reported.get(uids.get(name)), name);
    assert.equal(reported.get(3005), '\u202eecila');
    const status = await asUid(uids.get('ALL')!, [PERSON, 'status']);
    assert.ok(status.stdout.startsWith('ALL on web-1\nsession ses-'), status.stdout);
    const json = await asUid(uids.get('a\\nb')!, [PERSON, 'status', '-o', 'json']);
    assert.equal((JSON.parse(json.stdout) as { account: AccountJson }).account.name, 'a\\nb');
  });

  it('keep each event of a log on one line of JSON', () => {
    const lines = `${agent.output}${plane.log}`.split('\n').filter((line) => line.startsWith('{'));
    for (const line of lines) {
      assert.ok(!hasUnsafeText(line), line);
      assert.equal(typeof (JSON.parse(line) as { message: unknown }).message, 'string');
    }
    assert.equal(lines.filter((line) => line.includes('"message":"right made"')).length, TAKEN.length);
    const others = `${agent.output}${plane.log}`.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
    for (const line of others) assert.match(line, /^(first owner (token|password)|console on|listening on)/);
  });

  it('lose their rights like everybody', async () => {
    const revoked = await plane.curfewctl('sessions', 'revoke', '--everything', '--reason', '<i>enough</i>', '--wait');
    assert.equal(revoked.exitCode, 0, revoked.stderr);
    assert.deepEqual(await rootUids(uidsOf(TAKEN)), []);
    assert.equal(await device.must(['ls', '-A', '/run/curfew/sudoers.d']), '');
    await assertNobodyElse();
  });
});
