import { SystemClock, systemRandom } from '@curfew/shared';
import { runProgram } from '@curfew/shared/cli';
import type { AgentContext } from './commands/agent-context.js';
import { agentProgram, hintsOn } from './commands/agent-program.js';
import { recordingLimit } from './config/recording-limit.js';
import { searchedPlaces } from './config/searched-places.js';
import { beginService, chooseHome, choosePlatform, closeEnvironment } from './platform/choose-platform.js';
import { VERSION } from './version.js';

// A signal that log rotation likes to send opens Node's inspector otherwise: root for every local user.
process.on('SIGUSR1', () => undefined);

await closeEnvironment(process.platform, process.env);

const clock = new SystemClock();
const program = [process.execPath, ...process.execArgv, ...process.argv.slice(1, 2)];
const context: AgentContext = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  clock,
  version: VERSION,
  home: await chooseHome(process.platform),
  beginService: () => beginService(process.platform),
  platform: ({ runtimeDir, stateDir }, mark = 'curfew') =>
    choosePlatform(process.platform, {
      runtimeDir,
      stateDir,
      mark,
      clock,
      random: systemRandom,
      program,
      searched: searchedPlaces(process.env['CURFEW_PRIVILEGED_FILES']),
      recordingLimit: recordingLimit(process.env['CURFEW_RECORDING_LIMIT']),
    }),
};

// The reader of a pipe has had enough, as in `curfew-agent status | head`: not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

process.exitCode = await runProgram(agentProgram(context), process.argv.slice(2), context, hintsOn(process.platform));
