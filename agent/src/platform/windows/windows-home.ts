import { CurfewError } from '@curfew/shared';
import path from 'node:path';
import type { AgentPaths } from '../../config/agent-paths.js';
import type { AgentHome } from '../../config/agent-home.js';
import { guardFolder, ownAccount } from './native/guarded-folder.js';
import { SYSTEM_FOLDER } from './native/library.js';

/** In the part of the names in which only administrators make pipes. */
const PIPE = String.raw`\\.\pipe\ProtectedPrefix\Administrators\curfew-agent`;
const PLAIN = /^[A-Za-z]:\\[A-Za-z0-9_.+\\ -]+$/;

/**
 * The folders of Windows, for an elevated administrator or LocalSystem. Where ProgramData is, Windows says: an environment
 * is written by whoever may write the registry of the person.
 */
export const windowsHome: AgentHome = {
  paths: (env): AgentPaths => {
    if (!ownAccount().isAdministrator)
      throw new CurfewError('METHOD_NOT_ALLOWED', {
        role: 'everybody',
        method: 'curfew-agent',
        needed: 'an elevated administrator',
      });
    const stateDir = env['CURFEW_STATE_DIR'] ?? path.win32.join(SYSTEM_FOLDER.slice(0, 3), 'ProgramData', 'Curfew');
    const runtimeDir = env['CURFEW_RUNTIME_DIR'] ?? path.win32.join(stateDir, 'run');
    const wrong = [stateDir, runtimeDir].find((dir) => !PLAIN.test(dir));
    if (wrong !== undefined)
      throw new CurfewError('CONFIG_INVALID', { problems: `'${wrong}' must be an absolute path of plain characters` });
    return { stateDir, runtimeDir, socket: PIPE };
  },
  prepare: guardFolder,
};
