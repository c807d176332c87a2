import { CurfewError, instantMs, type InstantMs } from '@curfew/shared';
import { sql, type UpdateObject } from 'kysely';
import type { Subject } from '../connectors/connector.js';
import type { LedgerTransaction } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';
import type { ConfirmedMove } from '../metrics/measures.js';
import { endSessions } from '../sessions/end-sessions.js';
import { noteMoves } from '../sessions/session-record.js';
import { taskOf, type GrantTask } from './grant-task.js';

const SERVER = { kind: 'server' } as const;

/**
 * Notes, before anything is added, that from now on what the subject has is ours. False when the session is not to begin
 * any more.
 */
export async function noteIntent(tx: LedgerTransaction, sessionId: string, subject: Subject): Promise<boolean> {
  const { state, phase } = await taskOf(tx.db, sessionId);
  if (state !== 'starting' || phase !== 'finding') return false;
  await tx.db
    .updateTable('resource_grant')
    .set({
      phase: 'adding',
      subject_id: subject.id,
      subject_label: subject.label,
      attempts: 0,
      attempt_error: '',
    })
    .where('session_id', '=', sessionId)
    .execute();
  await forgetSubject(tx, sessionId, subject.id);
  tx.audit({ type: 'session.granting', actor: SERVER, subject: sessionId, data: { subject: subject.label } });
  await touch(tx, sessionId);
  return true;
}

/** Whoever is about to be given it does not have it now: what was known of them there from before is over. */
async function forgetSubject(tx: LedgerTransaction, sessionId: string, subjectId: string): Promise<void> {
  const { resource_id: resourceId } = await tx.db
    .selectFrom('resource_grant')
    .select('resource_id')
    .where('session_id', '=', sessionId)
    .executeTakeFirstOrThrow();
  for (const table of ['resource_member', 'resource_drift'] as const)
    await tx.db.deleteFrom(table).where('resource_id', '=', resourceId).where('subject_id', '=', subjectId).execute();
}

/** The resource is about to be told: that may take effect until then, whatever it answers. */
export async function noteDoubt(tx: LedgerTransaction, sessionId: string, untilMs: number): Promise<void> {
  const grant = tx.db.updateTable('resource_grant').where('session_id', '=', sessionId);
  await grant.set({ doubtful_until_ms: untilMs }).execute();
}

/**
 * The resource has confirmed that the subject has it until then. Other additions may come until `doubtfulUntilMs`. A
 * session that is ending by now goes on ending. Returns what is confirmed by that.
 */
export async function confirmHeld(
  tx: LedgerTransaction,
  sessionId: string,
  { untilMs, doubtfulUntilMs }: { readonly untilMs: number; readonly doubtfulUntilMs: number },
  now: InstantMs,
): Promise<ConfirmedMove[]> {
  const { state, expiresAtMs, kind, createdAtMs } = await taskOf(tx.db, sessionId);
  const isLive = state === 'starting' || state === 'active';
  const rest = isLive && expiresAtMs === untilMs;
  await tx.db
    .updateTable('resource_grant')
    .set({
      phase: 'held',
      until_ms: untilMs,
      doubtful_until_ms: doubtfulUntilMs,
      attempts: 0,
      attempt_error: '',
      ...(isLive ? { due_at_ms: rest ? null : now, noticed_at_ms: null } : {}),
    })
    .where('session_id', '=', sessionId)
    .execute();
  if (state === 'starting') {
    await noteMoves(tx.db, [sessionId], 'active', now);
    tx.audit({ type: 'session.active', actor: SERVER, subject: sessionId });
  }
  await touch(tx, sessionId, state === 'starting' ? { state: 'active', seq: sql`seq + 1`, active_at_ms: now } : {});
  return state === 'starting' ? [{ sessionId, kind, endReason: null, tookMs: now - createdAtMs }] : [];
}

/** The resource has confirmed that the subject does not have it, or nothing was ever done there. Returns what is confirmed by that. */
export async function confirmGone(tx: LedgerTransaction, sessionId: string, now: InstantMs): Promise<ConfirmedMove[]> {
  const { state, kind, endReason, endingAtMs } = await taskOf(tx.db, sessionId);
  if (state !== 'ending') return [];
  await markGone(tx, sessionId);
  await noteMoves(tx.db, [sessionId], 'ended', now);
  tx.audit({ type: 'session.ended', actor: SERVER, subject: sessionId });
  await touch(tx, sessionId, { state: 'ended', seq: sql`seq + 1`, ended_at_ms: now });
  return [{ sessionId, kind, endReason, tookMs: now - (endingAtMs ?? now) }];
}

/** A session does not begin, and nothing was done for it. */
export async function refuse(
  tx: LedgerTransaction,
  sessionId: string,
  why: CurfewError,
  now: InstantMs,
  label = '',
): Promise<void> {
  const { state, phase } = await taskOf(tx.db, sessionId);
  if (state !== 'starting' || phase !== 'finding') return;
  await markGone(tx, sessionId, label);
  await noteMoves(tx.db, [sessionId], 'ended', now);
  const detail = textOf(why);
  tx.audit({ type: 'session.refused', actor: SERVER, subject: sessionId, data: { detail } });
  await touch(tx, sessionId, {
    state: 'ended',
    seq: sql`seq + 1`,
    ending_at_ms: now,
    ended_at_ms: now,
    end_reason: 'failed',
    end_detail: detail,
  });
}

/** A session that may have something already ends, and what it may have is taken away. */
export function giveUp(
  tx: LedgerTransaction,
  sessionId: string,
  why: { readonly reason: 'failed' | 'tampered'; readonly error: CurfewError },
  now: InstantMs,
): Promise<string[]> {
  const decision = { reason: why.reason, by: '', actor: SERVER, detail: textOf(why.error) } as const;
  return endSessions(tx, now, { ids: [sessionId] }, decision);
}

/** An attempt has failed; it is made again at `dueAtMs`. What was decided meanwhile has its own turn, at once. */
export async function noteFailure(
  tx: LedgerTransaction,
  task: GrantTask,
  failure: { readonly error: string; readonly dueAtMs: number },
): Promise<void> {
  if ((await taskOf(tx.db, task.sessionId)).state !== task.state) return;
  await tx.db
    .updateTable('resource_grant')
    .set({ attempts: task.attempts + 1, attempt_error: failure.error, due_at_ms: failure.dueAtMs })
    .where('session_id', '=', task.sessionId)
    .where('due_at_ms', 'is not', null)
    .execute();
  await touch(tx, task.sessionId);
}

/** Nothing has failed, but it is too early. */
export async function putOff(tx: LedgerTransaction, sessionId: string, dueAtMs: number): Promise<void> {
  await tx.db
    .updateTable('resource_grant')
    .set({ due_at_ms: dueAtMs, attempts: 0, attempt_error: '' })
    .where('session_id', '=', sessionId)
    .where('due_at_ms', 'is not', null)
    .execute();
  await touch(tx, sessionId);
}

/** There is nothing to do. */
export async function rest(tx: LedgerTransaction, sessionId: string): Promise<void> {
  const { state, expiresAtMs, untilMs, phase } = await taskOf(tx.db, sessionId);
  if (state === 'active' ? phase !== 'held' || untilMs !== expiresAtMs : state !== 'ended') return;
  await tx.db.updateTable('resource_grant').set({ due_at_ms: null }).where('session_id', '=', sessionId).execute();
}

/** Changes a session, if there is something to change, and tells watchers that it is to be looked at again. */
async function touch(
  tx: LedgerTransaction,
  sessionId: string,
  change: UpdateObject<Tables, 'session'> = {},
): Promise<void> {
  const revision = tx.changed('session', sessionId);
  await tx.db
    .updateTable('session')
    .set({ ...change, revision })
    .where('id', '=', sessionId)
    .execute();
}

async function markGone(tx: LedgerTransaction, sessionId: string, label?: string): Promise<void> {
  await tx.db
    .updateTable('resource_grant')
    .set({
      phase: 'gone',
      due_at_ms: null,
      attempts: 0,
      attempt_error: '',
      noticed_at_ms: null,
      ...(label === undefined ? {} : { subject_label: label }),
    })
    .where('session_id', '=', sessionId)
    .execute();
}

const textOf = (error: CurfewError): string => `${error.code}: ${error.message}`;

/** The end that a resource is told of. */
export const untilOf = (task: GrantTask): InstantMs => instantMs(task.expiresAtMs);
