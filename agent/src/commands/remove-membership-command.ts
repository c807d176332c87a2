import { CurfewError } from '@curfew/shared';
import { rootPaths, type AgentContext } from './agent-context.js';

/** `remove-membership`: what the independent remover of Windows runs. Needs no agent, no server and no network. */
export async function removeMembership(context: AgentContext, sessionId: string): Promise<void> {
  if (!/^ses-[0-9a-z]{20}$/.test(sessionId))
    throw new CurfewError('FIELD_INVALID', { field: 'session', problem: 'is not the whole id of a session' });
  const { removeAlone } = await context.platform(rootPaths(context));
  if (removeAlone === undefined)
    throw new CurfewError('GRANT_KIND_UNSUPPORTED', { kind: 'this', why: 'rights are removed in another way here' });
  await removeAlone(sessionId);
}
