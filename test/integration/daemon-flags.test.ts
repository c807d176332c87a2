import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT } from '../support/device.js';
import { scratchFolder } from '../support/scratch.js';
import { captureTool, type ToolResult } from '../support/tool.js';

const TOKEN = `cfj1.${'A'.repeat(32)}.${'0'.repeat(64)}`;

describe('the flags of the daemons', function () {
  this.timeout(60_000);
  let folder: string;

  before(() => {
    folder = scratchFolder('daemon-flags');
    writeFileSync(join(folder, 'bad.yaml'), 'sessions:\n  max_duration: 8\ncolour: red\n');
    writeFileSync(join(folder, 'broken.yaml'), 'a: [\n');
    writeFileSync(join(folder, 'token'), 'cft1.not-a-join-token\n');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const run = (
    program: string,
    args: readonly string[],
    more: Record<string, string> = {},
    stdin = '',
  ): Promise<ToolResult> => {
    const env = {
      PATH: process.env['PATH'] ?? '',
      CURFEW_DATA_DIR: join(folder, 'data'),
      CURFEW_STATE_DIR: join(folder, 'state'),
      CURFEW_RUNTIME_DIR: join(folder, 'run'),
      ...more,
    };
    return captureTool(join(CHECKOUT, program), args, { env, stdin });
  };
  const server = 'server/bin/curfew-server.js';
  const agent = 'agent/bin/curfew-agent.js';
  const enroll = ['enroll', '--server', '127.0.0.1:1'];

  for (const { name, program, args, more, stdin, code, says } of [
    { name: 'no such command', program: server, args: ['start'], code: 2, says: /unknown command 'start'/ },
    { name: 'no such flag', program: server, args: ['serve', '--port', '1'], code: 2, says: /unknown option '--port'/ },
    { name: 'too much', program: server, args: ['recover', 'now'], code: 2, says: /too many arguments/ },
    { name: 'no file', program: server, args: ['backup'], code: 2, says: /missing required argument 'file'/ },
    {
      name: 'a configuration that is not there',
      program: server,
      args: ['--config', '/nonexistent.yaml', 'config', 'check'],
      code: 2,
      says: /--config: there is no file \/nonexistent\.yaml/,
    },
    {
      name: 'an odd format',
      program: server,
      args: ['config', 'print', '-o', 'xml'],
      code: 2,
      says: /Allowed choices/,
    },
    {
      name: 'options that are wrong',
      program: server,
      args: ['--config', 'FOLDER/bad.yaml', 'config', 'check'],
      code: 1,
      says: /colour: is no option/,
    },
    {
      name: 'options in the environment that are wrong',
      program: server,
      args: ['config', 'check'],
      more: { CURFEW_GRPC_PORT: '65536', CURFEW_SESSIONS_MAX_DURATION: '90' },
      code: 1,
      says: /grpc\.port: '65536' is not a port; sessions\.max_duration: '90' is not a duration/,
    },
    {
      name: 'half a provider',
      program: server,
      args: ['config', 'check'],
      more: {
        CURFEW_OIDC_ISSUER: 'http://login.example.com',
        CURFEW_OIDC_ROLE_MAP: 'a=root',
        CURFEW_OIDC_SCOPES: 'profile',
      },
      code: 1,
      says: /oidc\.issuer: is not an https address; oidc\.client_id: is needed .*; oidc\.scopes: must hold openid; oidc\.role_map: 'a=root'/,
    },
    {
      name: 'a certificate without its key',
      program: server,
      args: ['config', 'check'],
      more: { CURFEW_HTTP_CERTIFICATE: '/x' },
      code: 1,
      says: /http\.certificate and http\.key: one is nothing without the other/,
    },
    {
      name: 'a public address that is more than one',
      program: server,
      args: ['config', 'check'],
      more: { CURFEW_HTTP_PUBLIC_URL: 'https://curfew.example.com/x' },
      code: 1,
      says: /http\.public_url: 'https:\/\/curfew\.example\.com\/x' is not an address such as/,
    },
    {
      name: 'a configuration that is no YAML',
      program: server,
      args: ['--config', 'FOLDER/broken.yaml', 'serve'],
      code: 1,
      says: /broken\.yaml: .*\[CONFIG_INVALID\]/,
    },
    { name: 'no server', program: agent, args: ['enroll'], code: 2, says: /'--server <host:port>' not specified/ },
    {
      name: 'an odd server',
      program: agent,
      args: ['enroll', '--server', 'http://x', '--token', TOKEN],
      code: 2,
      says: /option '--server <host:port>' argument 'http:\/\/x' is invalid\. Write it like curfew\.example\.org:7443/,
    },
    { name: 'no token', program: agent, args: enroll, code: 2, says: /say where the join token is: --token-file FILE/ },
    {
      name: 'half a token',
      program: agent,
      args: [...enroll, '--token', TOKEN.slice(0, 50)],
      code: 2,
      says: /--token: is not a whole join token/,
    },
    {
      name: 'half a token in the environment',
      program: agent,
      args: enroll,
      more: { CURFEW_JOIN_TOKEN: 'x' },
      code: 2,
      says: /CURFEW_JOIN_TOKEN: is not a whole join token/,
    },
    {
      name: 'another token in a file',
      program: agent,
      args: [...enroll, '--token-file', 'FOLDER/token'],
      code: 2,
      says: /--token-file: is not a whole join token/,
    },
    {
      name: 'no token on standard input',
      program: agent,
      args: [...enroll, '--token-file', '-'],
      stdin: '\n',
      code: 2,
      says: /--token-file: is not a whole join token/,
    },
    {
      name: 'a token file that is not there',
      program: agent,
      args: [...enroll, '--token-file', '/nonexistent'],
      code: 2,
      says: /--token-file: the file \/nonexistent cannot be read/,
    },
    { name: 'a flag of another command', program: agent, args: ['run', '--force'], code: 2, says: /unknown option/ },
  ] as {
    name: string;
    program: string;
    args: string[];
    more?: Record<string, string>;
    stdin?: string;
    code: number;
    says: RegExp;
  }[])
    it(`${program.replace(/.*\/|\.js/g, '')} ends with ${code} on ${name}, and has made nothing`, async () => {
      const result = await run(
        program,
        args.map((arg) => arg.replace('FOLDER', folder)),
        more,
        stdin,
      );
      assert.equal(result.exitCode, code, result.stderr);
      assert.match(result.stderr, says);
      assert.equal(result.stdout, '');
      assert.deepEqual(readdirSync(folder).sort(), ['bad.yaml', 'broken.yaml', 'token']);
    });

  it('print the configuration in every format', async () => {
    const json = await run(server, ['config', 'print', '-o', 'json']);
    assert.equal((JSON.parse(json.stdout) as Record<string, string>)['grpc.port'], '7443');
    const yaml = await run(server, ['config', 'print']);
    assert.match(yaml.stdout, /^grpc\.port: "7443"$/m);
    const secret = { CURFEW_OIDC_CLIENT_SECRET: 'hunter2hunter2' };
    for (const format of ['json', 'yaml', 'table']) {
      const shown = await run(server, ['config', 'print', '-o', format], secret);
      assert.ok(shown.stdout.includes('[masked]') && !shown.stdout.includes('hunter2'), shown.stdout);
    }
    assert.equal(existsSync(join(folder, 'data')), false);
  });
});
