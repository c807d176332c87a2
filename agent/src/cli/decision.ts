import { type AccessRequest, AccessRequestState } from '@curfew/proto';
import { safeText, say, type DurationMs } from '@curfew/shared/cli';
import type { AgentConnection } from './agent-connection.js';
import { followStatus, WAITING } from './follow-status.js';
import type { PersonContext } from './person-context.js';
import { requestLines } from './request-text.js';

/**
 * Says what is waited for, waits until the request is no longer pending, and gives it. Errors: WAIT_TIMED_OUT, with the
 * request still pending; Exit after Ctrl-C.
 */
export async function untilDecided(
  context: PersonContext,
  agent: AgentConnection,
  request: AccessRequest,
  timeout: DurationMs | undefined,
): Promise<AccessRequest> {
  if (request.state !== AccessRequestState.PENDING) return request;
  for (const line of requestLines(request, context.clock.now()).slice(0, 2)) say(context, line);
  const what = `a decision; the request is still pending (withdraw it with: curfew cancel ${safeText(request.id)})`;
  return followStatus(context, agent, { resources: false, timeout, what, announce: WAITING }, ({ requests }) =>
    requests.find(({ id, state }) => id === request.id && state !== AccessRequestState.PENDING),
  );
}
