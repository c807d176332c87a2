import { ManualClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { AgentContext } from './agent-context.js';
import { agentProgram } from './agent-program.js';

const IDENTITY = JSON.stringify({ deviceName: 'mac-1' });
const UNLESS = ['enroll', '--server', '127.0.0.1:1', '--unless-enrolled'];

describe('curfew-agent enroll --unless-enrolled', () => {
  let stateDir: string;
  let said: string;

  beforeEach(() => {
    stateDir = mkdtempSync(path.join(tmpdir(), 'curfew-enroll-'));
    said = '';
  });
  afterEach(() => {
    rmSync(stateDir, { recursive: true });
  });

  const run = (...args: readonly string[]): Promise<unknown> => {
    const sink = { write: (text: string) => ((said += text), true) };
    const none = (): never => assert.fail('nothing of the machine is asked');
    const context: AgentContext = {
      ...{ stdout: sink, stderr: sink, env: {}, clock: new ManualClock(), version: '0.1.0' },
      home: { paths: () => ({ stateDir, runtimeDir: stateDir, socket: '' }), prepare: () => undefined },
      beginService: none,
      platform: none,
    };
    return agentProgram(context).parseAsync(args, { from: 'user' });
  };
  const enrolled = (): void => {
    writeFileSync(path.join(stateDir, 'identity.json'), IDENTITY);
  };

  for (const { name, token } of [
    { name: 'without a token', token: [] },
    { name: 'with a file of one that is gone', token: ['--token-file', '/nonexistent'] },
  ])
    it(`does nothing where there is an enrolment, also ${name}`, async () => {
      enrolled();
      await run(...UNLESS, ...token);
      assert.equal(said, 'Enrolled as mac-1 already: the token is not used.\n');
      assert.equal(readFileSync(path.join(stateDir, 'identity.json'), 'utf8'), IDENTITY);
    });

  it('needs a token where there is none, and makes nothing without', async () => {
    await assert.rejects(run(...UNLESS), { code: 'commander.error', exitCode: 1 });
    assert.match(said, /say where the join token is/);
    assert.deepEqual(readdirSync(stateDir), []);
  });
});
