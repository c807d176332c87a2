import { CurfewError } from '@curfew/shared';
import { execFile } from 'node:child_process';
import path from 'node:path';
import type { CommandResult, CommandRunner } from '../../ports/command-runner.js';

/** The group of nobody. */
const NOGROUP = 65_534;

/** Runs programs by absolute path, without a shell, in an environment that nobody else has written. */
export const execFileRunner: CommandRunner = {
  run: (program, args, options = {}) =>
    new Promise<CommandResult>((resolve, reject) => {
      if (!path.isAbsolute(program)) throw new Error(`${program} is not an absolute path`);
      const child = execFile(
        program,
        [...args],
        {
          env: { LC_ALL: 'C' },
          cwd: '/',
          timeout: options.timeoutMs ?? 5_000,
          killSignal: 'SIGKILL',
          maxBuffer: 4 * 1024 * 1024,
          encoding: 'utf8',
          // Its other groups are taken from it as well.
          ...(options.asUid !== undefined && { uid: options.asUid, gid: NOGROUP }),
        },
        (error, stdout, stderr) => {
          const failure = error as (Error & { code?: string | number; signal?: string; killed?: boolean }) | null;
          if (failure !== null && (failure.killed === true || typeof failure.code === 'string'))
            reject(
              new CurfewError(
                'COMMAND_FAILED',
                { command: program, exitCode: String(failure.code ?? 'none, it ran too long'), stderr },
                { cause: failure },
              ),
            );
          else
            resolve({
              exitCode: failure === null ? 0 : typeof failure.code === 'number' ? failure.code : null,
              signal: failure?.signal ?? null,
              stdout,
              stderr,
            });
        },
      );
      // A program that does not read its input is no error of ours.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(options.stdin ?? '');
    }),
};
