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

/** Reads CURFEW_STATE_DIR and CURFEW_RUNTIME_DIR. Errors: CONFIG_INVALID. */
export function agentPaths(env: Readonly<Record<string, string | undefined>>): AgentPaths {
  const stateDir = env['CURFEW_STATE_DIR'] ?? '/var/lib/curfew';
  const runtimeDir = env['CURFEW_RUNTIME_DIR'] ?? '/run/curfew';
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
