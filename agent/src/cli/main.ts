import { runProgram, SystemClock } from '@curfew/shared/cli';
import type { PersonContext } from './person-context.js';
import { HINTS, personProgram } from './person-program.js';
import { VERSION } from '../version.js';

const context: PersonContext = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  clock: new SystemClock(),
  version: VERSION,
};

// The reader of a pipe has had enough, as in `curfew status | head`: not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

const code = await runProgram(personProgram(context), process.argv.slice(2), context, HINTS);
process.exitCode ??= code;
