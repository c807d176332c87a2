import { type AccessRequest, AccessRequestState, LocalServiceService as service } from '@curfew/proto';
import { CurfewError, safeText, type DurationMs } from '@curfew/shared/cli';
import type { AgentConnection } from './agent-connection.js';
import { interruptible } from './interrupt.js';
import type { PersonContext } from './person-context.js';

/**
 * Waits until a request is no longer pending, and gives it. Errors: WAIT_TIMED_OUT; Interrupted, with the request still
 * pending.
 */
export async function untilDecided(
  context: PersonContext,
  agent: AgentConnection,
  request: AccessRequest,
  timeout: DurationMs | undefined,
): Promise<AccessRequest> {
  if (request.state !== AccessRequestState.PENDING) return request;
  const stop = new AbortController();
  const cancelTimer = timeout === undefined ? () => undefined : context.clock.after(timeout, () => stop.abort());
  const release = interruptible(stop);
  try {
    for await (const { status } of agent.follow(service.watchStatus, {}, stop.signal)) {
      const now = status?.requests.find(({ id }) => id === request.id);
      if (now !== undefined && now.state !== AccessRequestState.PENDING) return now;
    }
  } finally {
    cancelTimer();
    release();
  }
  throw new CurfewError('WAIT_TIMED_OUT', {
    what: `a decision; the request is still pending (withdraw it with: curfew cancel ${safeText(request.id)})`,
  });
}
