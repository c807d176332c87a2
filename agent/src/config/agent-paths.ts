import { CurfewError } from '@curfew/shared';
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';

/** Where the agent keeps things. */
export interface AgentPaths {
  /** Identity and state; only root may enter it. */
  readonly stateDir: string;
  /** Emptied by a reboot: rules, arm files, the socket. */
  readonly runtimeDir: string;
  readonly socket: string;
}

/** Where recordings wait for the server. */
export const recordingsDir = ({ stateDir }: Pick<AgentPaths, 'stateDir'>): string => path.join(stateDir, 'recordings');

/** Where versions of the agent are that came from the server. The launcher of the package knows it as well. */
export const versionsDir = ({ stateDir }: Pick<AgentPaths, 'stateDir'>): string => path.join(stateDir, 'versions');

/** Where they are when nothing else is said: macOS has neither /var/lib nor /run. */
const DEFAULTS = {
  darwin: { stateDir: '/var/db/curfew', runtimeDir: '/var/run/curfew' },
  others: { stateDir: '/var/lib/curfew', runtimeDir: '/run/curfew' },
};

/** Reads CURFEW_STATE_DIR and CURFEW_RUNTIME_DIR. Errors: CONFIG_INVALID. */
export function agentPaths(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): AgentPaths {
  const defaults = platform === 'darwin' ? DEFAULTS.darwin : DEFAULTS.others;
  const stateDir = env['CURFEW_STATE_DIR'] ?? defaults.stateDir;
  const runtimeDir = env['CURFEW_RUNTIME_DIR'] ?? defaults.runtimeDir;
  const plain = /^\/[A-Za-z0-9_./+-]+$/;
  const wrong = [stateDir, runtimeDir].find((dir) => !plain.test(dir));
  if (wrong !== undefined)
    throw new CurfewError('CONFIG_INVALID', { problems: `'${wrong}' must be an absolute path of plain characters` });
  return { stateDir, runtimeDir, socket: path.join(runtimeDir, 'agent.sock') };
}

/** Makes the state folder and sees that it is root's alone. Errors: STORAGE_UNSAFE. */
export function prepareStateDir(stateDir: string): void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const { uid, mode } = statSync(stateDir);
  // Only where it is needed: on a disk that has become read-only the agent must start, to remove what there is.
  if ((mode & 0o7777) !== 0o700) chmodSync(stateDir, 0o700);
  if (uid !== process.getuid?.())
    throw new CurfewError('STORAGE_UNSAFE', { problem: `${stateDir} belongs to uid ${uid}` });
}
