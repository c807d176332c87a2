import { STATE_FORMAT } from '../ports/state-file.js';
import type { AgentContext } from './agent-context.js';

/**
 * `check`: loads what the agent loads on this machine, changes nothing, and says in JSON which version this is and in which format
 * it keeps its state. Errors: whatever keeps the agent from running here.
 */
export async function checkThis(context: AgentContext): Promise<void> {
  await import('../daemon.js');
  const { machine } = await context.platform({ stateDir: '/nonexistent', runtimeDir: '/nonexistent', socket: '' });
  machine.bootId();
  context.stdout.write(`${JSON.stringify({ version: context.version, stateFormat: STATE_FORMAT })}\n`);
}
