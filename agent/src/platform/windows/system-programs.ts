import { CurfewError } from '@curfew/shared';
import { execFile } from 'node:child_process';
import path from 'node:path';
import type { CommandRunner } from '../../ports/command-runner.js';

/** Runs programs of Windows by their whole path, without a shell, a window, or the environment of whoever started this. */
export const systemPrograms: CommandRunner = {
  run: (program, args, { timeoutMs = 5_000 } = {}) =>
    new Promise((resolve, reject) => {
      if (!path.win32.isAbsolute(program)) throw new TypeError(`${program} is not an absolute path`);
      const folder = path.win32.dirname(program);
      // Node adds what no program of Windows can do without, such as SystemRoot, by itself.
      const options = { env: {}, cwd: folder, timeout: timeoutMs, windowsHide: true, encoding: 'utf8' } as const;
      execFile(program, [...args], options, (error, stdout, stderr) => {
        // A program that ran has a number; one that could not, a word, or none when it was killed.
        const code =
          (error as { code?: number | string } | null)?.code ?? (error === null ? 0 : 'none, it ran too long');
        if (typeof code === 'number') resolve({ exitCode: code, signal: null, stdout, stderr });
        else {
          const fields = { command: program, exitCode: code, stderr };
          reject(new CurfewError('COMMAND_FAILED', fields, { cause: error }));
        }
      });
    }),
};
