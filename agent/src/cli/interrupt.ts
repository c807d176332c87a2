import { Exit } from '@curfew/shared/cli';

/** The exit code of a program that a signal has ended, by the shells' custom: 128 and the signal's number. */
const CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Lets Ctrl-C and a polite kill abort what is waited for; the program then ends with their exit code. The returned
 * function gives the signals their usual effect again, and throws `Exit` when one has come.
 */
export function interruptible(stop: AbortController): () => void {
  let code: number | undefined;
  const handlers = Object.entries(CODES).map(([signal, number]) => {
    const handler = (): void => {
      code = number;
      stop.abort();
    };
    process.on(signal, handler);
    return (): void => void process.off(signal, handler);
  });
  return () => {
    for (const remove of handlers) remove();
    if (code !== undefined) throw new Exit(code);
  };
}
