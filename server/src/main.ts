import { SystemClock } from '@curfew/shared';
import { EXIT, runProgram } from '@curfew/shared/cli';
import type { ServerContext } from './commands/server-context.js';
import { serverProgram } from './commands/server-program.js';
import { VERSION } from './version.js';

// A signal that log rotation likes to send opens Node's inspector otherwise: root for every local user.
process.on('SIGUSR1', () => undefined);

const context: ServerContext = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  clock: new SystemClock(),
  version: VERSION,
};

const code = await runProgram(serverProgram(context), process.argv.slice(2), context);
if (code !== EXIT.done) process.exit(code);
