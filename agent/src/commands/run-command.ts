import { createLogger, CurfewError, systemRandom, type Logger } from '@curfew/shared';
import { rmSync } from 'node:fs';
import { updateSettings } from '../config/update-settings.js';
import { startDaemon, type RunningDaemon } from '../daemon.js';
import { FileIdentityStore } from '../state/file-identity-store.js';
import { JsonChangeStore } from '../state/json-change-store.js';
import { JsonStateFile } from '../state/json-state-file.js';
import { rootPaths, type AgentContext } from './agent-context.js';

/** What starts an agent, and ends it. */
interface Run {
  readonly logger: Logger;
  readonly stop: Promise<void>;
  /** Ends it, to be started again; without it no release is taken from the server. */
  readonly restart?: () => void;
  readonly started?: (daemon: RunningDaemon) => void;
  readonly endSessions?: boolean;
}

/** `run`: until a signal ends it. Errors: DEVICE_UNKNOWN when this machine is not enrolled, STATE_NEWER, AGENT_RUNS_ALREADY. */
export async function runAgent(context: AgentContext, endSessions: boolean): Promise<void> {
  // A signal may come while the agent starts, and must then find everything that it has to undo.
  let restart = (): void => undefined;
  const stop = new Promise<void>((resolve) => {
    restart = resolve;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  await runUntil(context, { logger: createLogger('curfew-agent'), stop, restart, endSessions });
  process.exit(0);
}

/** Runs an agent until it is to stop. Errors: DEVICE_UNKNOWN when this machine is not enrolled, AGENT_RUNS_ALREADY. */
export async function runUntil(
  context: AgentContext,
  { logger, stop, restart, started, endSessions = false }: Run,
): Promise<void> {
  const paths = rootPaths(context);
  context.home.prepare(paths.stateDir);
  await context.home.becomeSole?.(paths, context.clock, logger);
  const daemon = await startDaemon({
    platform: await context.platform(paths),
    paths,
    identities: new FileIdentityStore(paths.stateDir),
    stateFile: new JsonStateFile(paths.stateDir),
    changeStore: new JsonChangeStore(paths.stateDir),
    updates: restart && updateSettings(context.env),
    restart: () => restart?.(),
    clock: context.clock,
    random: systemRandom,
    logger,
  });
  if (daemon === undefined) throw new CurfewError('DEVICE_UNKNOWN');
  started?.(daemon);
  await stop;
  await daemon.stop({ endSessions }).catch((error: unknown) => {
    logger.error('the agent did not stop cleanly', { error });
  });
  if (endSessions) rmSync(paths.runtimeDir, { recursive: true, force: true });
}
