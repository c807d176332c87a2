import { CurfewError, newId, type InstantMs, type Random } from '@curfew/shared';
import type { Selectable } from 'kysely';
import { findId } from '../ledger/find-by-id.js';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';
import type { ResourceRow } from '../resources/find-resource.js';
import type { Difference } from './compare-plan.js';
import { giveUp } from './grant-moves.js';
import type { GrantTask } from './grant-task.js';

export type DriftRow = Selectable<Tables['resource_drift']>;

const SERVER = { kind: 'server' } as const;

const keyOf = (kind: string, subjectId: string, sessionId: string): string =>
  JSON.stringify([kind, subjectId, sessionId]);

/** Keeps what differs now and forgets what does no more. Each difference is told once, when it is first seen. */
export async function putDrift(
  tx: LedgerTransaction,
  random: Random,
  resource: ResourceRow,
  differences: readonly Difference[],
  now: InstantMs,
): Promise<void> {
  const before = await driftOf(tx.db, resource.id);
  const known = new Set(before.map((row) => keyOf(row.kind, row.subject_id, row.session_id)));
  const is = new Set(differences.map((one) => keyOf(one.kind, one.subject.id, one.sessionId)));
  for (const row of before)
    if (!is.has(keyOf(row.kind, row.subject_id, row.session_id))) await forgetDrift(tx.db, row.id);
  for (const one of differences)
    if (!known.has(keyOf(one.kind, one.subject.id, one.sessionId))) await addDrift(tx, random, resource, one, now);
}

const driftOf = (db: LedgerReader, resourceId: string): Promise<DriftRow[]> =>
  db.selectFrom('resource_drift').selectAll().where('resource_id', '=', resourceId).execute();

async function addDrift(
  tx: LedgerTransaction,
  random: Random,
  { id, name }: ResourceRow,
  { kind, subject, sessionId }: Difference,
  now: InstantMs,
): Promise<void> {
  const place = { resource_id: id, kind, subject_id: subject.id, session_id: sessionId };
  await tx.db
    .insertInto('resource_drift')
    .values({ id: newId('drift', random), ...place, label: subject.label, seen_at_ms: now })
    .execute();
  const data = { name, kind, subject: subject.label, session: sessionId };
  tx.audit({ type: 'resource.drift', actor: SERVER, subject: id, data });
}

/** Ends a session whose membership somebody else took away. Undefined when its end was decided before. */
export async function endRemoved(
  tx: LedgerTransaction,
  resource: ResourceRow,
  { sessionId, subject }: GrantTask,
  now: InstantMs,
): Promise<Difference | undefined> {
  const error = new CurfewError('RESOURCE_REMOVED_BY_HAND', { resource: resource.name, subject: subject.label });
  const ended = await giveUp(tx, sessionId, { reason: 'tampered', error }, now);
  return ended.length === 0 ? undefined : { kind: 'removed_by_hand', subject, sessionId };
}

/** The same for one that is found outside of a comparison: operators see the difference at once. */
export async function noteRemoved(
  tx: LedgerTransaction,
  random: Random,
  resource: ResourceRow,
  task: GrantTask,
  now: InstantMs,
): Promise<void> {
  const difference = await endRemoved(tx, resource, task, now);
  if (difference === undefined) return;
  await addDrift(tx, random, resource, difference, now);
  tx.changed('resource', resource.id);
}

/** A difference that can still be settled. One whose session's time is over is none any more. Errors: DRIFT_NOT_FOUND, ID_AMBIGUOUS. */
export async function findDrift(db: LedgerReader, given: string, now: InstantMs): Promise<DriftRow> {
  const id = await findId(db, 'resource_drift', 'drift', given, 'DRIFT_NOT_FOUND');
  const drift = await db.selectFrom('resource_drift').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  if (drift.kind !== 'removed_by_hand') return drift;
  const { expires_at_ms: expiresAtMs } = await sessionOf(db, drift);
  if (expiresAtMs <= now) throw new CurfewError('DRIFT_NOT_FOUND', { given });
  return drift;
}

/** The session that a difference is about; every kind but 'added_by_hand' has one. */
export const sessionOf = (db: LedgerReader, { session_id: id }: DriftRow) =>
  db.selectFrom('session').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

export async function forgetDrift(db: LedgerReader, id: string): Promise<void> {
  await db.deleteFrom('resource_drift').where('id', '=', id).execute();
}
