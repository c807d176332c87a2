import { durationMs, SECOND, type Clock } from '@curfew/shared';
import type { Notice } from './notice.js';
import { refused, unreachable, type Outcome, type Sender } from './sender.js';

/** How long one attempt may take, whatever the other side does. */
const ATTEMPT_LIMIT_MS = durationMs(10 * SECOND);

/** Sends once within a time limit. Never throws, and never hangs: a sender that does not heed its signal is left behind. */
export async function attempt(
  sender: Sender,
  notices: readonly Notice[],
  clock: Clock,
  stop: AbortSignal,
): Promise<Outcome> {
  const abort = new AbortController();
  const failed = sender.ordered ? unreachable : refused;
  let cancel = (): void => undefined;
  const limit = new Promise<Outcome>((resolve) => {
    const end = (outcome: Outcome): void => {
      resolve(outcome);
      abort.abort();
    };
    const stopped = (): void => end(unreachable('the server is stopping'));
    if (stop.aborted) stopped();
    stop.addEventListener('abort', stopped);
    const cancelTimer = clock.after(ATTEMPT_LIMIT_MS, () =>
      end(failed(`no answer within ${ATTEMPT_LIMIT_MS / SECOND} s`)),
    );
    cancel = () => {
      cancelTimer();
      stop.removeEventListener('abort', stopped);
    };
  });
  try {
    const sending = sender.send(notices, abort.signal).catch((error: unknown) => failed((error as Error).message));
    return await Promise.race([sending, limit]);
  } catch (error) {
    return failed((error as Error).message);
  } finally {
    cancel();
  }
}
