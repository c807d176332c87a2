import type { Clock, Logger } from '@curfew/shared';
import type { AgentPaths } from './agent-paths.js';

/** Where an agent of this machine has its things, and who may be one. */
export interface AgentHome {
  /** Errors: METHOD_NOT_ALLOWED for everybody who does not rule the machine, CONFIG_INVALID. */
  paths(env: Readonly<Record<string, string | undefined>>): AgentPaths;
  /** Makes the folder for secrets and sees that nobody else can enter it. Errors: STORAGE_UNSAFE. */
  prepare(stateDir: string): void;
  /**
   * Sees to it that no other agent runs here as long as this process lives; undefined where its door does. Errors:
   * AGENT_RUNS_ALREADY.
   */
  readonly becomeSole?: (paths: AgentPaths, clock: Clock, logger: Logger) => Promise<void>;
}
