import { CurfewError, type Logger } from '@curfew/shared';
import { keyOf, type ItemMap } from '../core/compare-items.js';
import type { FoundChange } from '../ports/change-store.js';
import type { LastingPower } from '../ports/lasting-power.js';

export interface UndoOutcome {
  /** What was given, with what is undone marked so. */
  readonly found: readonly FoundChange[];
  /** What could not be undone and why, in whole sentences. */
  readonly gaps: readonly string[];
  readonly isUndone: boolean;
}

/** Undoes the worst of what was found, as it stands in the look `items`; what a package has brought is the package's. */
export async function undoWorst(
  found: readonly FoundChange[],
  items: ItemMap,
  { power, logger }: { readonly power: Pick<LastingPower, 'undo'>; readonly logger: Logger },
): Promise<UndoOutcome> {
  const [after, gaps]: [FoundChange[], string[]] = [[], []];
  for (const change of found) {
    const item = items.get(keyOf(change));
    const isCandidate = item !== undefined && change.present && change.action === 'added' && change.package === '';
    let undone = false;
    if (isCandidate)
      try {
        if (wasRenamed(change, found))
          throw new CurfewError('CHANGE_NOT_UNDONE', { detail: 'it was there before under another name' });
        undone = await power.undo(item);
        if (undone) logger.warn('a lasting change was undone', { kind: item.kind, subject: item.subject });
      } catch (error) {
        logger.error('a lasting change could not be undone', { kind: item.kind, subject: item.subject, error });
        gaps.push(`${item.subject}: ${error instanceof Error ? error.message : String(error)}.`);
      }
    after.push(undone ? { ...change, undone } : change);
  }
  return {
    found: after,
    gaps,
    isUndone: after.some(({ undone }, at) => undone === true && found[at]?.undone !== true),
  };
}

/** Whether the same file or account has gone under another name: to take the new one away would take away what was there before. */
const wasRenamed = ({ kind, detail }: FoundChange, found: readonly FoundChange[]): boolean =>
  (kind === 'sudoers' || kind === 'account') &&
  found.some(
    (other) => other.kind === kind && other.action === 'removed' && other.present && other.detail === `was: ${detail}`,
  );
