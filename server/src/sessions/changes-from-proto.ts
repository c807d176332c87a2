import { ChangeAction, ChangeKind, SessionChanges, Severity, type LastingChange } from '@curfew/proto';
import { CurfewError, safeText } from '@curfew/shared';
import type { ChangesReport } from './session-changes.js';

/** Of the changes that matter most this many are told of in notices. */
const MOST_TOLD = 3;

/** What a device tells of a session, whose fields the door has checked. Errors: FIELD_INVALID. */
export function changesFromProto(told: SessionChanges): ChangesReport {
  const { changes } = told;
  if (told.lookTime === undefined)
    throw new CurfewError('FIELD_INVALID', { field: 'changes.look_time', problem: 'is required' });
  const count = (severity: Severity): number => changes.filter((one) => one.severity === severity).length;
  return {
    sessionId: told.sessionId,
    final: told.final,
    counts: {
      critical: count(Severity.CRITICAL),
      warning: count(Severity.WARNING),
      notice: count(Severity.NOTICE),
      undone: changes.filter(({ undone }) => undone).length,
    },
    worst: changes
      .filter(({ severity }) => severity === Severity.CRITICAL)
      .slice(0, MOST_TOLD)
      .map(words),
    report: JSON.stringify(SessionChanges.toJSON(told)),
  };
}

const words = ({ kind, action, subject }: LastingChange): string =>
  `${ChangeKind[kind].toLowerCase().replaceAll('_', ' ')} ${ChangeAction[action].toLowerCase()}: ${safeText(subject)}`;
