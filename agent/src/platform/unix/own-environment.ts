import { SYSTEM_PLACES } from './system-tools.js';

/** What shells read before they do anything else (bash(1), 'BASH_ENV' and 'FUNCTIONS'; dash(1), 'ENV'). */
const READ_BY_SHELLS = /^(BASH_ENV|ENV|BASH_FUNC_.*)$/;

/**
 * Keeps what others have put into the way of this process out of what it starts. Programs of ours are started by absolute paths
 * and with nothing of this environment, but libraries start some by their names.
 */
export function closeEnvironment(env: NodeJS.ProcessEnv): void {
  env['PATH'] = SYSTEM_PLACES.join(':');
  for (const name of Object.keys(env)) if (READ_BY_SHELLS.test(name)) Reflect.deleteProperty(env, name);
}
