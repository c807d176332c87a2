import type { CheckpointUpdate } from '@curfew/proto';
import { checkpointIncarnation, openCheckpoint, verifyConsistency } from '@curfew/shared';

/** Whether a checkpoint is to be kept, and why not. */
export type Verdict =
  | { readonly accepted: true; readonly note: string; readonly size: number }
  | { readonly accepted: false; readonly size: number; readonly detail: string };

/**
 * Judges a checkpoint as a witness: it must be signed by the pinned key and extend the one that is kept. Only a newer
 * incarnation of the ledger, which an operator has begun on purpose, starts a new log.
 */
export function judgeCheckpoint(kept: string, update: CheckpointUpdate, auditKey: string): Verdict {
  const note = update.checkpoint?.note ?? '';
  const now = openCheckpoint(note, auditKey);
  if (now === undefined) return { accepted: false, size: 0, detail: 'the checkpoint is not signed by the pinned key' };
  const old = kept === '' ? undefined : openCheckpoint(kept, auditKey);
  const accepted: Verdict = { accepted: true, note, size: now.size };
  if (old === undefined || note === kept) return accepted;
  const refuse = (detail: string): Verdict => ({ accepted: false, size: now.size, detail });
  if (now.origin !== old.origin) {
    const newer = (checkpointIncarnation(now) ?? 0) > (checkpointIncarnation(old) ?? 0);
    return newer ? accepted : refuse(`the log is ${now.origin}, this device has seen ${old.origin}`);
  }
  if (now.size < old.size) return refuse(`the log has ${now.size} records, this device has seen ${old.size}`);
  if (!verifyConsistency(old, now, update.consistencyProof))
    return refuse('the log is not an extension of the one that this device has seen');
  return accepted;
}
