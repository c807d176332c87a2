/** Begins to measure; the returned function gives how many milliseconds have passed, with parts of them. */
export function stopwatch(): () => number {
  const began = now();
  return () => now() - began;
}

// eslint-disable-next-line no-restricted-syntax -- only counted: nothing waits for it or goes by it
const now = (): number => performance.now();
