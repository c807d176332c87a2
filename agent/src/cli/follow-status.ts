import { LocalServiceService as service, type LocalStatus } from '@curfew/proto';
import { CurfewError, say, type DurationMs } from '@curfew/shared/cli';
import type { AgentConnection } from './agent-connection.js';
import { interruptible } from './interrupt.js';
import type { PersonContext } from './person-context.js';

/** What whoever waits for an answer to a request may do. */
export const WAITING = '  waiting… (Ctrl-C stops the waiting; the request stays)';

export interface FollowOptions {
  /** Whether what is of resources matters. */
  readonly resources: boolean;
  /** How long at most; undefined means for ever. */
  readonly timeout: DurationMs | undefined;
  /** What is waited for, as the error names it. */
  readonly what: string;
  /** Said before the wait: whoever has read it may press Ctrl-C. */
  readonly announce?: string;
}

/**
 * Follows the status until `settled` gives something, and gives that. Errors: WAIT_TIMED_OUT, those of `follow`; Exit
 * after Ctrl-C.
 */
export async function followStatus<T>(
  context: PersonContext,
  agent: AgentConnection,
  { resources, timeout, what, announce }: FollowOptions,
  settled: (status: LocalStatus) => T | undefined,
): Promise<T> {
  const stop = new AbortController();
  const cancelTimer = timeout === undefined ? () => undefined : context.clock.after(timeout, () => stop.abort());
  const release = interruptible(stop);
  if (announce !== undefined) say(context, announce);
  try {
    for await (const { status } of agent.follow(service.watchStatus, { resources }, stop.signal)) {
      const found = status === undefined ? undefined : settled(status);
      if (found !== undefined) return found;
    }
  } finally {
    cancelTimer();
    release();
  }
  throw new CurfewError('WAIT_TIMED_OUT', { what });
}
