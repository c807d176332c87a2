import type { Change, Ledger } from '../ledger/ledger.js';
import { nextTurn } from '../next-turn.js';
import { takeSome } from '../take-some.js';

/** How many ids are looked up at once while catching up, where whoever watches does not say: after each batch others get their turn. */
const BATCH = 200;

/**
 * Runs a watch until the signal: `first` once, then `changed` with the ids that have changed since. Ids pile up in a
 * set while the caller is slow, so a slow caller costs no more than one entry for each thing it watches.
 */
export async function watchChanges(
  ledger: Ledger,
  kinds: readonly Change['kind'][],
  signal: AbortSignal,
  handlers: {
    readonly first: () => Promise<void>;
    readonly changed: (ids: string[]) => Promise<void>;
    readonly atOnce?: number;
  },
): Promise<void> {
  const waiting = new Set<string>();
  let wake = (): void => undefined;
  const stop = ledger.onChange((changes) => {
    for (const change of changes) if (kinds.includes(change.kind)) waiting.add(change.id);
    wake();
  });
  const woken = (): void => {
    wake();
  };
  signal.addEventListener('abort', woken);
  try {
    await handlers.first();
    while (!signal.aborted) {
      const ids = takeSome(waiting, handlers.atOnce ?? BATCH);
      if (ids.length > 0) {
        await handlers.changed(ids);
        if (waiting.size > 0) await nextTurn();
      } else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    stop();
    signal.removeEventListener('abort', woken);
  }
}
