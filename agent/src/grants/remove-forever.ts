import type { Clock, DurationMs, Logger } from '@curfew/shared';

/** No error stops a removal: it is tried again after each pause until it is done. */
export async function removeForever(
  remove: () => Promise<void>,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  pause: DurationMs,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1)
    try {
      await remove();
      return;
    } catch (error) {
      // Said less and less often: it may last for hours.
      if (Number.isInteger(Math.log2(attempt)))
        logger.error('a right could not be removed, trying again', { attempt, error });
      await new Promise<void>((resolve) => clock.after(pause, resolve));
    }
}
