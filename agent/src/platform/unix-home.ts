import { CurfewError } from '@curfew/shared';
import { agentPaths, prepareStateDir } from '../config/agent-paths.js';
import type { AgentHome } from '../config/agent-home.js';

/** The folders of a Unix, for root. */
export const unixHome: AgentHome = {
  paths: (env) => {
    if (process.getuid?.() !== 0)
      throw new CurfewError('METHOD_NOT_ALLOWED', { role: 'everybody', method: 'curfew-agent', needed: 'root' });
    return agentPaths(env);
  },
  prepare: prepareStateDir,
  becomeSole: async ({ runtimeDir }, clock, logger) =>
    (await import('./unix/sole-agent.js')).becomeSoleAgent(runtimeDir, clock, logger),
};
