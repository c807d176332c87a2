/** A signal that is raised by Ctrl-C or a polite kill, so that streams end and the screen is left in order. */
export function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      process.exitCode = signal === 'SIGINT' ? 130 : 143;
      controller.abort();
    });
  return controller.signal;
}
