import { CurfewError } from '@curfew/shared';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { z } from 'zod';
import { STATE_FORMAT } from '../ports/state-file.js';

/** What `curfew-agent check` prints. */
const checkSchema = z.object({ version: z.string(), stateFormat: z.int() });

const PATIENCE_MS = 30_000;

/**
 * Has the program in a folder check itself, with Node's flags of this process. Errors: RELEASE_CHECK_FAILED when it does not run
 * to its end, is another version than it should be, or keeps its state in another format: what it wrote could not be read again
 * if it had to be given up, so that is for a package to bring.
 */
export async function tryProgram(folder: string, version: string): Promise<void> {
  const program = path.join(folder, 'program/curfew-agent.js');
  const node = path.join(folder, process.platform === 'win32' ? 'node.exe' : 'node');
  const output = await new Promise<string>((resolve, reject) => {
    execFile(
      node,
      [...process.execArgv, program, 'check'],
      { cwd: '/', env: { LC_ALL: 'C' }, timeout: PATIENCE_MS, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(failed(`${error.message.split('\n')[0] ?? ''} ${stderr.slice(-200)}`, error));
      },
    );
  });
  let said;
  try {
    said = checkSchema.parse(JSON.parse(output));
  } catch (cause) {
    throw failed('it does not say what it is', cause);
  }
  if (said.version !== version) throw failed(`it says that it is ${said.version}`);
  if (said.stateFormat !== STATE_FORMAT)
    throw failed('it keeps its state in another format, which only a package can bring');
}

const failed = (problem: string, cause?: unknown): CurfewError =>
  new CurfewError('RELEASE_CHECK_FAILED', { problem }, { cause });
