import { createLogger, CurfewError, systemRandom } from '@curfew/shared';
import { rmSync } from 'node:fs';
import { prepareStateDir } from '../config/agent-paths.js';
import { startDaemon } from '../daemon.js';
import { FileIdentityStore } from '../state/file-identity-store.js';
import { JsonStateFile } from '../state/json-state-file.js';
import { rootPaths, type AgentContext } from './agent-context.js';

/** `run`: until a signal ends it. Errors: DEVICE_UNKNOWN when this machine is not enrolled. */
export async function runAgent(context: AgentContext, endSessions: boolean): Promise<void> {
  const paths = rootPaths(context);
  prepareStateDir(paths.stateDir);
  const logger = createLogger('curfew-agent');
  // A signal may come while the agent starts, and must then find everything that it has to undo.
  const stop = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  const daemon = await startDaemon({
    platform: await context.platform(paths),
    paths,
    identities: new FileIdentityStore(paths.stateDir),
    stateFile: new JsonStateFile(paths.stateDir),
    clock: context.clock,
    random: systemRandom,
    logger,
  });
  if (daemon === undefined) throw new CurfewError('DEVICE_UNKNOWN');
  await stop;
  await daemon.stop({ endSessions }).catch((error: unknown) => {
    logger.error('the agent did not stop cleanly', { error });
  });
  if (endSessions) rmSync(paths.runtimeDir, { recursive: true, force: true });
  process.exit(0);
}
