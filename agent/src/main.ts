import { SystemClock, systemRandom } from '@curfew/shared';
import { runProgram } from '@curfew/shared/cli';
import type { AgentContext } from './commands/agent-context.js';
import { agentProgram, HINTS } from './commands/agent-program.js';
import { choosePlatform } from './platform/choose-platform.js';
import { VERSION } from './version.js';

// A signal that log rotation likes to send opens Node's inspector otherwise: root for every local user.
process.on('SIGUSR1', () => undefined);

const clock = new SystemClock();
const context: AgentContext = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  clock,
  version: VERSION,
  platform: ({ runtimeDir, stateDir }, mark = 'curfew') =>
    choosePlatform(process.platform, { runtimeDir, stateDir, mark, clock, random: systemRandom }),
};

// The reader of a pipe has had enough, as in `curfew-agent status | head`: not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

process.exitCode = await runProgram(agentProgram(context), process.argv.slice(2), context, HINTS);
