import type { SeenLog } from './audit-verifier.js';

const KEY = 'curfew-audit-seen';

/** The log as this browser has last found it whole. Anything else that is stored there counts as nothing. */
export function storedSeenLog(): SeenLog | undefined {
  try {
    const { key, origin, size, root } = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<SeenLog>;
    if (typeof key !== 'string' || typeof origin !== 'string' || typeof root !== 'string') return undefined;
    return typeof size === 'number' && Number.isSafeInteger(size) && size > 0 ? { key, origin, size, root } : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps what was found, so that the next check can tell whether the log has been written anew. */
export function storeSeenLog(seen: SeenLog): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(seen));
  } catch {
    // No storage: the next check begins from nothing.
  }
}
