import type { FoundChange, LastingChange } from '../ports/change-store.js';
import { byWeight, keyOf, weightOrder } from './compare-items.js';

/** Of one session this many changes are kept; those that matter most stand first. */
export const MOST_CHANGES = 200;

/**
 * What is found now beside what was found before: what has gone again stays in the list, as gone. Of one thing the
 * newest change counts. Gives what fits, and how many do not.
 */
export function withFound(
  before: readonly FoundChange[],
  now: readonly LastingChange[],
): { readonly found: readonly FoundChange[]; readonly leftOut: number } {
  const present = new Set(now.map(keyOf));
  const gone = before.filter((one) => !present.has(keyOf(one))).map((one) => ({ ...one, present: false }));
  const all = [...now.map((one) => ({ ...one, present: true })), ...gone].sort(byImportance);
  return { found: all.slice(0, MOST_CHANGES), leftOut: Math.max(0, all.length - MOST_CHANGES) };
}

/** What matters most comes first; of what matters alike, what is still there. */
export const byImportance = (one: FoundChange, other: FoundChange): number =>
  weightOrder(one, other) || Number(other.present) - Number(one.present) || byWeight(one, other);
