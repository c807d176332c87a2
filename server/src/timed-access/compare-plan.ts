import type { Subject } from '../connectors/connector.js';
import type { DriftKind } from './grant-phase.js';

/** What the ledger knows of a resource, as of the moment of the comparison. */
export interface LedgerView {
  /** Whether it was compared before: the first time, whoever is there was there before us. */
  readonly isFirst: boolean;
  /** Of sessions that are not over: what is there is ours. */
  readonly ours: readonly { readonly sessionId: string; readonly subjectId: string; readonly isActive: boolean }[];
  /** Of sessions that are over: what was ours, newest first. */
  readonly past: readonly { readonly sessionId: string; readonly subjectId: string }[];
  /** What was found removed by hand, and would not be over yet. */
  readonly removed: readonly { readonly sessionId: string; readonly subject: Subject }[];
  /** Who stands there beside us: at the first comparison or by an operator's word, and has been since. */
  readonly known: readonly Subject[];
}

/** One difference. */
export interface Difference {
  readonly kind: DriftKind;
  readonly subject: Subject;
  /** '' when there is none. */
  readonly sessionId: string;
}

export interface Comparison {
  /** Active sessions whose membership is not in the list: to be asked for one by one. */
  readonly missing: readonly string[];
  readonly differences: readonly Difference[];
  /** Who is known from now on. */
  readonly known: readonly Subject[];
}

/** Compares who is there with what the ledger says. */
export function comparePlan(ledger: LedgerView, members: readonly Subject[]): Comparison {
  const there = new Map(members.map((member) => [member.id, member]));
  const ours = new Set(ledger.ours.map(({ subjectId }) => subjectId));
  const past = new Map<string, string>();
  for (const { sessionId, subjectId } of ledger.past) if (!past.has(subjectId)) past.set(subjectId, sessionId);
  const knownIds = new Set(ledger.known.map(({ id }) => id));
  const strangers = [...there.values()].filter(({ id }) => !ours.has(id));
  const added = strangers.flatMap((subject): Difference[] => {
    if (knownIds.has(subject.id)) return [];
    const sessionId = past.get(subject.id);
    if (sessionId !== undefined) return [{ kind: 'back_after_end', subject, sessionId }];
    return ledger.isFirst ? [] : [{ kind: 'added_by_hand', subject, sessionId: '' }];
  });
  const known = strangers.filter(({ id }) => knownIds.has(id) || (ledger.isFirst && !past.has(id)));
  const removed = ledger.removed
    .filter(({ subject: { id } }) => !there.has(id) && !ours.has(id))
    .map((one): Difference => ({ kind: 'removed_by_hand', ...one }));
  const missing = ledger.ours.filter(({ subjectId, isActive }) => isActive && !there.has(subjectId));
  return { missing: missing.map(({ sessionId }) => sessionId), differences: [...removed, ...added], known };
}
