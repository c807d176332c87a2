import { type AccessRequest, AccessRequestState, LocalServiceService as service } from '@curfew/proto';
import { CurfewError, safeText, say, type DurationMs } from '@curfew/shared/cli';
import type { AgentConnection } from './agent-connection.js';
import { interruptible } from './interrupt.js';
import type { PersonContext } from './person-context.js';
import { requestLines } from './status-text.js';

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
  const stop = new AbortController();
  const cancelTimer = timeout === undefined ? () => undefined : context.clock.after(timeout, () => stop.abort());
  const release = interruptible(stop);
  for (const line of requestLines(request, context.clock.now()).slice(0, 2)) say(context, line);
  say(context, '  waiting… (Ctrl-C stops the waiting; the request stays)');
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
