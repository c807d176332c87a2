import { silentLogger, SystemClock, systemRandom } from '@curfew/shared';
import { EXIT, runProgram } from '@curfew/shared/cli';
import type { Command, Option } from 'commander';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { loadConfig } from '../config/config.js';
import { createServer, type RunningServer } from '../create-server.js';
import { operatorProgram } from './operator-program.js';
import type { ToolContext } from './tool-context.js';

/** What people and attackers have typed as a time. None of it may become one. */
const NO_DURATIONS = [
  '0',
  '-5m',
  'NaN',
  '1e12',
  '0x10',
  '90',
  '5',
  '1h 30',
  '',
  '٣٠m',
  '99999999999999999999s',
  '30m;1h',
];

/** Flags whose value only the server can judge, with a wrong one and what is said about it. */
const ASKED: readonly { flag: string; args: string[]; says: RegExp }[] = [
  {
    flag: '--user',
    args: ['sessions', 'revoke', '--user', '', '--reason', 'x'],
    says: /^curfewctl: user: must be at least 1/,
  },
  {
    flag: '--device',
    args: ['sessions', 'revoke', '--device', '', '--reason', 'x'],
    says: /: device: must be at least 1/,
  },
  {
    flag: '--for',
    args: ['devices', 'join-token', 'create', '--for', ''],
    says: /: device: must be at least 1/,
  },
  {
    flag: '--resource',
    args: ['sessions', 'revoke', '--resource', '', '--reason', 'x'],
    says: /: resource: must be at least 1/,
  },
  {
    flag: '--account',
    args: ['users', 'link', 'olga', '--device', 'd', '--account', ''],
    says: /: account: must be at least 1/,
  },
  { flag: '--text', args: ['devices', 'list', '--text', 'x'.repeat(201)], says: /: filter\.text: must be at most 200/ },
  {
    flag: '--order-by',
    args: ['users', 'list', '--order-by', 'colour'],
    says: /: order_by: 'colour' is not one of name, /,
  },
  {
    flag: '--display-name',
    args: ['users', 'update', 'olga', '--display-name', 'a\u202eb'],
    says: /: display_name: must not/,
  },
  { flag: '--label', args: ['tokens', 'create', '--label', ''], says: /: label: must be at least 1/ },
  { flag: '--type', args: ['audit', 'list', '--type', 'x'.repeat(65)], says: /: type_prefix: must be at most 64/ },
  { flag: '--actor', args: ['audit', 'list', '--actor', 'x'.repeat(301)], says: /: actor: must be at most 300/ },
  { flag: '--subject', args: ['audit', 'list', '--subject', 'x'.repeat(65)], says: /: subject: must be at most 64/ },
  {
    flag: '--run-as',
    args: ['sessions', 'grant', '--user', 'u', '--device', 'd', '--for', '1m', '--reason', 'x', '--run-as', 'ALL ALL'],
    says: /: options\.run_as: must be the name of a local account/,
  },
  { flag: '--ca', args: ['whoami', '--ca', '/nonexistent'], says: /: --ca: the file \/nonexistent cannot be read/ },
  { flag: '--token', args: ['whoami', '--token', 'a b'], says: /: token: has characters that no token has/ },
  {
    flag: '--ca-fingerprint',
    args: ['login', '--server', '127.0.0.1:1', '--ca-fingerprint', 'xyz'],
    says: /option '--ca-fingerprint <hex>' is invalid\. Write the 64 hex digits/,
  },
  {
    flag: '--file',
    args: ['policies', 'apply', '--file', '/nonexistent'],
    says: /: --file: \/nonexistent cannot be read: ENOENT/,
  },
  {
    flag: '--email',
    args: ['users', 'update', 'olga', '--email', 'nobody'],
    says: /: email: must be a mail address/,
  },
  {
    flag: '--target',
    args: ['channels', 'put', 'x', '--kind', 'webhook', '--target', 'http://example.com/'],
    says: /: channel\.target: must begin with https:/,
  },
  {
    flag: '--secret-file',
    args: ['channels', 'put', 'x', '--kind', 'file', '--target', 'x', '--secret-file', '/nonexistent'],
    says: /: --secret-file: \/nonexistent cannot be read/,
  },
  {
    flag: '--cast',
    args: ['sessions', 'replay', 'x', '--cast', '/nonexistent/x.cast'],
    says: /file: \/nonexistent\/x\.cast cannot be written: ENOENT/,
  },
  {
    flag: '--raw',
    args: ['sessions', 'replay', 'x', '--raw', '/nonexistent/x'],
    says: /file: \/nonexistent\/x cannot be written: ENOENT/,
  },
  { flag: '--key', args: ['audit', 'verify', '/nonexistent', '--key', 'x'], says: /nonexistent/ },
];

/** Flags that are judged when they are read, with wrong values by what they take. */
const WRONG: Readonly<Record<string, readonly string[]>> = {
  '<duration>': NO_DURATIONS,
  '<count>': ['0', '-1', '1.5', '1e3', 'many', '', '99999999999999999999'],
  '<number>': ['0', '-1', '101', '1.5', '5%', 'many', ''],
  '<factor>': ['', '0', '-1', '1e2', 'fast', '101', '0.01', '1.2345'],
  '<host:port>': ['', 'a b', 'host:0', 'host:65536', 'host:x', 'http://host:7443', '::1'],
  '<line>': ['', 'apt', './x', '/bin/x "open'],
  '<kind>': ['sms', 'WEBHOOK', ''],
  '<type>': ['', 'Request.', 'request.*', 'a b', '.', 'x'.repeat(65)],
  '<id=user>': ['', 'U0123', 'U0123=', '=alice', 'alice=U0123', 'U0123=a b'],
  '<tab>': ['devices', ''],
  '<state>': ['open', 'PENDING'],
  '<role>': ['root', 'OWNER', ''],
  '<platform>': ['macos', ''],
  '<choice>': ['end', ''],
  '<group>': ['', ' ', 'x'.repeat(101)],
  '--ticket <id>': ['', ' ', 'x'.repeat(101)],
  '<format>': ['xml', 'JSON', ''],
  '--name <name>': ['', 'a b', 'x'.repeat(65)],
  '--code <code>': ['', '12345', '12345\n6', 'x'.repeat(65), '$(id)12'],
  '--console <url>': [
    '',
    'host',
    'http://192.0.2.1:7080',
    'https://a/b',
    'https://a/?x',
    'javascript:alert(1)',
    'ftp://a',
  ],
  '--reason <text>': ['', '  ', 'x'.repeat(501)],
  '--group [name]': ['Sudo', 'a b', '%wheel', 'x'.repeat(33)],
};

describe("curfewctl's flags", function () {
  this.timeout(30_000);
  let folder: string;
  let server: RunningServer;
  let [out, err] = ['', ''];

  const context = (): ToolContext => ({
    stdin: Readable.from([]) as unknown as NodeJS.ReadStream,
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    env: {
      CURFEW_SERVER: `127.0.0.1:${server.port}`,
      CURFEW_TOKEN: server.firstOwnerToken,
      CURFEW_CA: server.caFile,
    },
    home: folder,
    clock: new SystemClock(),
    version: '0',
  });
  const run = (args: readonly string[]): Promise<number> => {
    [out, err] = ['', ''];
    const own = context();
    return runProgram(operatorProgram(own), args, own);
  };
  const auditSize = (): Promise<number> =>
    server.ledger.read(async (db) => (await db.selectFrom('audit_event').select('idx').execute()).length);

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-flags-'));
    server = await createServer({
      config: loadConfig({
        CURFEW_DATA_DIR: folder,
        CURFEW_GRPC_HOST: '127.0.0.1',
        CURFEW_GRPC_PORT: '0',
        CURFEW_HTTP_PORT: '0',
      }),
      clock: new SystemClock(),
      random: systemRandom,
      logger: silentLogger,
      fatal: (error) => assert.fail(String(error)),
    });
  });
  after(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Every option that takes a value, with the way to its command. */
  function* options(
    command: Command,
    way: readonly string[] = [],
  ): Generator<{ option: Option; way: readonly string[] }> {
    for (const option of command.options) if (option.required || option.optional) yield { option, way };
    for (const inner of command.commands) yield* options(inner, [...way, inner.name()]);
  }
  const takes = (option: Option): string => /<[^>]+>/.exec(option.flags)?.[0] ?? '';

  it('are all known here: each is judged when it is read, or by whoever is asked', () => {
    const asked = new Set(ASKED.map(({ flag }) => flag));
    const unknown: string[] = [];
    for (const { option, way } of options(operatorProgram(context()))) {
      const judged = takes(option) in WRONG || option.flags in WRONG;
      if (!judged && !asked.has(option.long ?? '')) unknown.push([...way, option.flags].join(' '));
    }
    assert.deepEqual(unknown, []);
  });

  it('are refused with the code for wrong usage, the name of the flag, and what would be right', async () => {
    const before = await auditSize();
    let count = 0;
    for (const { option, way } of options(operatorProgram(context())))
      for (const value of WRONG[option.flags] ?? WRONG[takes(option)] ?? []) {
        const what = `${[...way, option.long].join(' ')} ${JSON.stringify(value)}`;
        assert.equal(await run([...way, option.long ?? '', value]), EXIT.usage, `${what}\n${err}`);
        assert.ok(err.includes(`option '${option.flags}' argument`), `${what}\n${err}`);
        assert.match(err, /Write |Allowed choices are |A unit is missing|Say why|at most|not closed/, what);
        assert.equal(out, '', what);
        count++;
      }
    assert.ok(count > 100, `${count} wrong values`);
    assert.equal(await auditSize(), before);
  });

  for (const { flag, args, says } of ASKED)
    it(`say what is wrong with ${flag}, where only the other side can know`, async () => {
      const before = await auditSize();
      const code = await run(args);
      assert.equal(code, flag === '--key' ? EXIT.refused : EXIT.usage, err);
      assert.match(err, says);
      assert.equal(out, '');
      assert.equal(await auditSize(), before);
    });

  it('and arguments that no command takes are refused', async () => {
    for (const args of [
      ['sessions', 'list', 'extra'],
      ['sessions', '--colour'],
      ['nothing'],
      ['sessions', 'grant'],
      ['devices', 'remove'],
      ['devices', 'list', '--online', '--offline'],
    ]) {
      assert.equal(await run(args), EXIT.usage, args.join(' '));
      assert.equal(out, '');
      assert.match(err, /see curfewctl --help/);
    }
  });
});
