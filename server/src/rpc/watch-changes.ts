import { CurfewError } from '@curfew/shared';
import type { Change, Ledger } from '../ledger/ledger.js';
import { nextTurn } from '../next-turn.js';
import { takeSome } from '../take-some.js';

/** How many ids are looked up at once, where whoever watches does not say. */
const BATCH = 200;

/** What a watch does. */
interface WatchHandlers {
  readonly first: () => Promise<void>;
  readonly changed: (ids: string[]) => Promise<void>;
  /**
   * What is done when anything may have changed, because the ledger could not say what. Without it the watch fails with
   * CHANGES_MISSED: its caller begins anew, for what is gone by then cannot be told.
   */
  readonly missed?: () => Promise<void>;
  /** How many ids are looked up at once while catching up; else 200: after each batch others get their turn. */
  readonly atOnce?: number;
}

/**
 * Runs a watch until the signal: `first` once, then `changed` with the ids that have changed since. Ids pile up in a
 * set while the caller is slow, so a slow caller costs no more than one entry for each thing it watches. Errors:
 * CHANGES_MISSED, the handlers' own.
 */
export async function watchChanges(
  ledger: Ledger,
  kinds: readonly Change['kind'][],
  signal: AbortSignal,
  handlers: WatchHandlers,
): Promise<void> {
  const waiting = new Set<string>();
  let hasMissed = false;
  let wake = (): void => undefined;
  const stop = ledger.onChange((changes) => {
    for (const { kind, id } of changes) {
      if (kinds.includes(kind)) waiting.add(id);
      if (kind === 'ledger' && id === '') hasMissed = true;
    }
    wake();
  });
  const takeMissed = (): boolean => {
    const was = hasMissed;
    hasMissed = false;
    return was;
  };
  const woken = (): void => {
    wake();
  };
  signal.addEventListener('abort', woken);
  try {
    await handlers.first();
    while (!signal.aborted) {
      if (takeMissed()) {
        if (handlers.missed === undefined) throw new CurfewError('CHANGES_MISSED');
        await handlers.missed();
        continue;
      }
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
