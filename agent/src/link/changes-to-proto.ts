import { ChangeAction, ChangeKind, SessionChanges, Severity } from '@curfew/proto';
import type { ChangeRecord } from '../ports/change-store.js';

/** What the schema allows, in characters. */
const [LONGEST_SUBJECT, LONGEST_DETAIL, LONGEST_PACKAGE, LONGEST_GAP] = [1_024, 1_000, 256, 500];
const MOST_GAPS = 10;

/** What is known of a session's lasting changes, whole. */
export const changesToProto = ({ sessionId, found, gaps, phase, lookedAtMs }: ChangeRecord): SessionChanges =>
  SessionChanges.fromPartial({
    sessionId,
    changes: found.map((change) => ({
      kind: ChangeKind[change.kind.toUpperCase() as keyof typeof ChangeKind],
      action: ChangeAction[change.action.toUpperCase() as keyof typeof ChangeAction],
      subject: change.subject.slice(0, LONGEST_SUBJECT),
      severity: Severity[change.weight.toUpperCase() as keyof typeof Severity],
      package: change.package.slice(0, LONGEST_PACKAGE),
      detail: change.detail.slice(0, LONGEST_DETAIL),
      present: change.present,
      undone: change.undone === true,
    })),
    gaps: gaps.slice(0, MOST_GAPS).map((gap) => gap.slice(0, LONGEST_GAP)),
    final: phase === 'over',
    lookTime: new Date(lookedAtMs),
  });
