import { ApplyPoliciesRequest, PolicyServiceService as service, type ListPoliciesResponse } from '@curfew/proto';
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiClient } from '../support/api-client.js';
import { CliOnTerminal, KEYS } from '../support/cli-on-terminal.js';
import { describeOn } from '../support/machine-needs.js';
import { scratchFolder } from '../support/scratch.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const QUESTION = /apply these changes\? \[y\/N\] /;

describeOn([{ program: 'script' }], 'a question on a real terminal', function () {
  this.timeout(60_000);
  let server: TestServer;
  let home: string;
  let owner: ApiClient;
  let tool: CliOnTerminal | undefined;

  before(async () => {
    server = await startTestServer();
    home = scratchFolder('home');
    owner = new ApiClient(server.address, server.running.caFile, { token: server.ownerToken });
  });
  afterEach(() => tool?.close());
  after(async () => {
    owner.close();
    await server.close();
    rmSync(home, { recursive: true, force: true });
  });

  const policies = (): Promise<ListPoliciesResponse> => owner.unary(service.listPolicies, {});
  const start = (...args: string[]): CliOnTerminal => {
    tool?.close();
    tool = new CliOnTerminal('curfewctl', args, {
      HOME: home,
      CURFEW_SERVER: server.address,
      CURFEW_TOKEN: server.ownerToken,
      CURFEW_CA: server.running.caFile,
    });
    return tool;
  };
  /** Applies a file with one policy of this name, as far as the question. */
  async function asked(name: string, ...more: string[]): Promise<CliOnTerminal> {
    const file = join(home, `${name}.yaml`);
    writeFileSync(file, `policies:\n  - name: ${name}\n    effect: allow\n`);
    const shown = start('policies', 'apply', '-f', file, ...more);
    await shown.until(QUESTION);
    assert.ok(shown.screen.includes(`created: ${name}\r\n  +name: ${name}\r\n`), shown.screen);
    return shown;
  }

  const noes: readonly { readonly name: string; readonly keys: string; readonly exitCode: number }[] = [
    { name: 'no', keys: `no${KEYS.enter}`, exitCode: 1 },
    { name: 'nothing but Enter', keys: KEYS.enter, exitCode: 1 },
    { name: 'a word that is no yes', keys: `yesterday${KEYS.enter}`, exitCode: 1 },
    { name: 'a yes that is taken back', keys: `y${KEYS.erase}n${KEYS.enter}`, exitCode: 1 },
    { name: 'Ctrl-C', keys: KEYS.ctrlC, exitCode: 130 },
    { name: 'Ctrl-C behind a yes', keys: `yes${KEYS.ctrlC}`, exitCode: 130 },
    { name: 'the end of the input', keys: KEYS.ctrlD, exitCode: 1 },
  ];
  for (const { name, keys, exitCode } of noes)
    it(`policies apply does nothing after ${name}, and says so`, async () => {
      const before = await policies();
      const shown = await asked('never');
      shown.type(keys);
      assert.equal(await shown.exitCode(), exitCode, shown.screen);
      assert.match(shown.screen, /\r\nnothing was done\r\n$/);
      assert.doesNotMatch(shown.screen, /applied/);
      assert.deepEqual(await policies(), before);
    });

  for (const [name, answer] of [
    ['first', 'y'],
    ['second', ' YES '],
  ] as const)
    it(`policies apply does what it has shown after '${answer}'`, async () => {
      const shown = await asked(name);
      shown.type(`${answer}${KEYS.enter}`);
      assert.equal(await shown.exitCode(), 0, shown.screen);
      assert.match(shown.screen, /applied: 1 change\r\n$/);
      assert.ok((await policies()).policies.some((policy) => policy.name === name));
    });

  it('policies apply does nothing after a yes to what has changed meanwhile', async () => {
    const shown = await asked('stale');
    const text = 'policies:\n  - name: meanwhile\n    effect: deny\n';
    await owner.unary(service.applyPolicies, ApplyPoliciesRequest.fromPartial({ text }));
    const before = await policies();
    shown.type(`y${KEYS.enter}`);
    assert.equal(await shown.exitCode(), 1, shown.screen);
    assert.deepEqual(await policies(), before);
  });

  for (const [name, keys, exitCode] of [
    ['Ctrl-C', KEYS.ctrlC, 130],
    ['the end of the input', KEYS.ctrlD, 1],
  ] as const)
    it(`login leaves after ${name} in place of a password, and shows nothing of what was typed`, async () => {
      const shown = start('login', '--console', server.consoleUrl, '--name', 'owner');
      await shown.until(/Password \(not shown\): /);
      shown.type('half a pass');
      if (keys === KEYS.ctrlD) for (let at = 0; at < 11; at++) shown.type(KEYS.erase);
      shown.type(keys);
      assert.equal(await shown.exitCode(), exitCode, shown.screen);
      assert.doesNotMatch(shown.screen, /half/);
    });
});
