/**
 * Resolves in the next turn of the event loop, after whatever has arrived by then was taken in. The ledger answers
 * without leaving the turn, so long work has to make room for others by itself.
 */
export const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    // eslint-disable-next-line no-restricted-globals -- not a wait: no time passes, and no test has to move a clock
    setImmediate(resolve);
  });
