import { homedir } from 'node:os';
import { runProgram, SystemClock } from '@curfew/shared/cli';
import type { ToolContext } from './tool-context.js';
import { operatorProgram } from './operator-program.js';
import { VERSION } from '../version.js';

const context: ToolContext = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  home: homedir(),
  clock: new SystemClock(),
  version: VERSION,
};

// The reader of a pipe has had enough, as in `curfewctl … | head`: not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

const code = await runProgram(operatorProgram(context), process.argv.slice(2), context);
process.exitCode ??= code;
