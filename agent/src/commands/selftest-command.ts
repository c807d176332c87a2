import { CurfewError, systemRandom } from '@curfew/shared';
import { Exit, EXIT, outputOf, printOne, safeText, say } from '@curfew/shared/cli';
import type { Command } from 'commander';
import { mkdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { AgentPaths } from '../config/agent-paths.js';
import { runRehearsalAgent } from '../selftest/rehearsal-agent.js';
import { Selftest, type SelftestCheck } from '../selftest/selftest.js';
import { interruptible } from '../cli/interrupt.js';
import { rootPaths, type AgentContext } from './agent-context.js';

const MARK = 'curfew-selftest';
/** Apart from those of the agent that runs on this machine, and gone with a reboot. */
const RUNTIME_DIR = '/run/curfew-selftest';
const PATHS: AgentPaths = {
  runtimeDir: RUNTIME_DIR,
  stateDir: path.join(RUNTIME_DIR, 'state'),
  socket: path.join(RUNTIME_DIR, 'agent.sock'),
};

/** `selftest`. Errors: SELFTEST_RUNNING. */
export async function selftest(context: AgentContext, command: Command): Promise<void> {
  rootPaths(context);
  const { format } = outputOf(command);
  const { host, selftestMachine: machine } = await context.platform(PATHS, MARK);
  const unlock = await lock();
  const stop = new AbortController();
  const release = interruptible(stop);
  const checks: SelftestCheck[] = [];
  const report = (check: SelftestCheck): void => {
    checks.push(check);
    if (format === 'table') context.stdout.write(checkLine(check));
  };
  const { clock } = context;
  const parts = { machine, host, clock, random: systemRandom, signal: stop.signal, report };
  let passed = false;
  try {
    if (format === 'table')
      say(context, 'Giving a throw-away account rights, and watching them end. About 20 seconds.');
    passed = await new Selftest(parts).run();
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    say(context, 'interrupted; everything was cleaned up');
  } finally {
    unlock();
    rmSync(RUNTIME_DIR, { recursive: true, force: true });
    release();
  }
  const verdict = passed ? 'Passed: rights end on this machine.' : 'FAILED: see the lines above.';
  await printOne(context, format, { json: { passed, checks }, text: () => `${verdict}\n` });
  if (!passed) throw new Exit(EXIT.refused);
}

/** The agent that the selftest starts for itself. */
export async function selftestAgent(context: AgentContext): Promise<void> {
  rootPaths(context);
  if (process.send === undefined)
    throw new CurfewError('METHOD_NOT_ALLOWED', { role: 'everybody', method: 'selftest-agent', needed: 'a selftest' });
  await runRehearsalAgent(await context.platform(PATHS, MARK), PATHS, context.clock);
  await new Promise(() => undefined);
}

const checkLine = ({ name, passed, detail }: SelftestCheck): string =>
  `${passed ? 'ok    ' : 'FAILED'}  ${name}: ${safeText(detail)}\n`;

/** One selftest at a time: a socket that listens as long as this process lives. */
async function lock(): Promise<() => void> {
  mkdirSync(RUNTIME_DIR, { recursive: true, mode: 0o755 });
  const file = path.join(RUNTIME_DIR, 'selftest.sock');
  const taken = await new Promise<boolean>((resolve) => {
    const probe = net.connect(file);
    probe.once('connect', () => resolve(true)).once('error', () => resolve(false));
    probe.once('connect', () => probe.destroy());
  });
  if (taken) throw new CurfewError('SELFTEST_RUNNING');
  rmSync(file, { force: true });
  const server = net.createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(file, resolve);
  });
  return () => void server.close();
}
