import { setTimeout as pause } from 'node:timers/promises';

/** How long `eventually` waits and how often it looks. */
export interface EventuallyOptions {
  readonly withinMs: number;
  /** Default 20. */
  readonly everyMs?: number;
  /** What is waited for, for the message. */
  readonly what?: string;
}

/**
 * Calls `probe` until it returns something other than false, null or undefined, and gives that. For real processes
 * only: what can be awaited is awaited. Errors: the last error of `probe`, or that it never came true.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  options: EventuallyOptions,
): Promise<Exclude<T, false | null | undefined>> {
  const start = performance.now();
  let problem: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== false && value !== null && value !== undefined) {
        return value as Exclude<T, false | null | undefined>;
      }
      problem = undefined;
    } catch (error) {
      problem = error;
    }
    if (performance.now() - start > options.withinMs) break;
    await pause(options.everyMs ?? 20);
  }
  throw new Error(`not within ${options.withinMs} ms: ${options.what ?? probe.toString()}`, { cause: problem });
}
