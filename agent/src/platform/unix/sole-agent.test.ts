import { durationMs, ManualClock, silentLogger } from '@curfew/shared';
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { becomeSoleAgent } from './sole-agent.js';

/** A process that becomes the agent of a folder, and says so. */
const PROGRAM = `
  const [{ becomeSoleAgent }, { silentLogger, SystemClock }] = await Promise.all(
    [process.argv[1], '@curfew/shared'].map((module) => import(module)),
  );
  await becomeSoleAgent(process.argv[2], new SystemClock(), silentLogger);
  process.stdout.write('sole');
  setInterval(() => undefined, 60_000);
`;

describe('the sole agent of a machine', () => {
  let folder: string;
  let first: ChildProcess | undefined;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-sole-'));
  });
  afterEach(() => first?.kill('SIGKILL'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is one as long as its process lives, and no longer, also when that was killed', async () => {
    const args = ['--input-type=module', '-e', PROGRAM, new URL('./sole-agent.js', import.meta.url).href, folder];
    first = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] });
    await once(first.stdout!, 'data');
    const clock = new ManualClock();
    const refused = assert.rejects(becomeSoleAgent(folder, clock, silentLogger), {
      code: 'AGENT_RUNS_ALREADY',
      fields: { pid: String(first.pid), folder },
    });
    for (let waited = 0; waited < 5_000; waited += 100) {
      clock.advance(durationMs(100));
      await Promise.resolve();
    }
    await refused;
    const waiting = becomeSoleAgent(folder, clock, silentLogger);
    await clock.waitForTimer();
    first.kill('SIGKILL');
    await once(first, 'exit');
    clock.advance(durationMs(100));
    await waiting;
  });

  it('starts all the same where nothing can be written', async () => {
    const file = path.join(folder, 'file');
    writeFileSync(file, '');
    const said: string[] = [];
    const logger = { ...silentLogger, warn: (message: string) => void said.push(message) };
    await becomeSoleAgent(path.join(file, 'below'), new ManualClock(), logger);
    assert.deepEqual(said, ['it is not seen to that no other agent runs here']);
  });
});
