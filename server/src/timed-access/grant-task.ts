import type { EndReason, SessionKind, SessionState } from '@curfew/shared';
import { sql } from 'kysely';
import type { LedgerReader } from '../ledger/ledger.js';
import { readMeta } from '../ledger/ledger-meta.js';
import type { Person } from '../connectors/connector.js';
import type { GrantPhase } from './grant-phase.js';

/** One session of a resource, and how far it has come there. */
export interface GrantTask {
  readonly sessionId: string;
  readonly userId: string;
  readonly state: SessionState;
  readonly expiresAtMs: number;
  readonly phase: GrantPhase;
  readonly subject: { readonly id: string; readonly label: string };
  readonly untilMs: number | null;
  readonly attempts: number;
  readonly doubtfulUntilMs: number;
  readonly kind: SessionKind;
  readonly createdAtMs: number;
  /** Null while its end is not decided. */
  readonly endingAtMs: number | null;
  readonly endReason: EndReason | null;
}

const selectTasks = (db: LedgerReader) =>
  db
    .selectFrom('resource_grant as g')
    .innerJoin('session as s', 's.id', 'g.session_id')
    .select(['s.id', 's.user_id', 's.state', 's.expires_at_ms', 'g.phase', 'g.subject_id', 'g.subject_label'])
    .select(['g.until_ms', 'g.attempts', 'g.doubtful_until_ms'])
    .select(['s.kind', 's.created_at_ms', 's.ending_at_ms', 's.end_reason']);

type TaskRow = Awaited<ReturnType<ReturnType<typeof selectTasks>['executeTakeFirstOrThrow']>>;

const taskFromRow = (row: TaskRow): GrantTask => ({
  sessionId: row.id,
  userId: row.user_id,
  state: row.state,
  expiresAtMs: row.expires_at_ms,
  phase: row.phase,
  subject: { id: row.subject_id, label: row.subject_label },
  untilMs: row.until_ms,
  attempts: row.attempts,
  doubtfulUntilMs: row.doubtful_until_ms,
  kind: row.kind,
  createdAtMs: row.created_at_ms,
  endingAtMs: row.ending_at_ms,
  endReason: row.end_reason,
});

/** What is due takes turns: of what gives only a few at a time, so that what takes away soon has its turn again. */
const [MOST_REMOVALS, MOST_GRANTS] = [100, 4];

/** What is due at a resource: what takes away before all that gives. A ledger that was rolled back gives nothing. */
export async function dueTasks(db: LedgerReader, resourceId: string, now: number): Promise<GrantTask[]> {
  const due = selectTasks(db)
    .where('g.resource_id', '=', resourceId)
    .where('g.due_at_ms', '<=', now)
    .orderBy('g.due_at_ms');
  const removals = await due.where('s.state', 'in', ['ending', 'ended']).limit(MOST_REMOVALS).execute();
  if (removals.length > 0) return removals.map(taskFromRow);
  if ((await readMeta(db)).rolledBack !== '') return [];
  const grants = await due.where('s.state', 'in', ['starting', 'active']).limit(MOST_GRANTS).execute();
  return grants.map(taskFromRow);
}

export async function taskOf(db: LedgerReader, sessionId: string): Promise<GrantTask> {
  return taskFromRow(await selectTasks(db).where('g.session_id', '=', sessionId).executeTakeFirstOrThrow());
}

/** Sessions that are to end and were never begun at their resource: nothing has to be asked for them. */
export async function endingUnbegun(db: LedgerReader): Promise<string[]> {
  const rows = await db
    .selectFrom('resource_grant as g')
    .innerJoin('session as s', 's.id', 'g.session_id')
    .select('g.session_id')
    .where(sql<boolean>`g.phase = 'finding'`)
    .where('s.state', '=', 'ending')
    .execute();
  return rows.map(({ session_id: id }) => id);
}

/** Where something is due, and from when on. */
export interface DueResource {
  readonly resourceId: string;
  readonly connectorId: string;
  readonly dueAtMs: number;
}

export async function dueResources(db: LedgerReader): Promise<DueResource[]> {
  const rows = await db
    .selectFrom('resource_grant as g')
    .innerJoin('resource as r', 'r.id', 'g.resource_id')
    .select(['g.resource_id', 'r.connector_id', sql<number>`min(g.due_at_ms)`.as('due_at_ms')])
    .where(sql<boolean>`g.due_at_ms is not null`)
    .groupBy(['g.resource_id', 'r.connector_id'])
    .execute();
  return rows.map((row) => ({
    resourceId: row.resource_id,
    connectorId: row.connector_id ?? '',
    dueAtMs: row.due_at_ms,
  }));
}

/** Another session through which the same subject has the resource from us, if there is one. */
export async function otherHolder(
  db: LedgerReader,
  resourceId: string,
  subjectId: string,
  sessionId: string,
): Promise<{ readonly id: string; readonly state: SessionState } | undefined> {
  return db
    .selectFrom('resource_grant as g')
    .innerJoin('session as s', 's.id', 'g.session_id')
    .select(['s.id', 's.state'])
    .where('g.resource_id', '=', resourceId)
    .where('g.subject_id', '=', subjectId)
    .where('g.phase', 'in', ['adding', 'held'])
    .where('g.session_id', '<>', sessionId)
    .executeTakeFirst();
}

/** A user as resources look for them. */
export async function personOf(db: LedgerReader, resourceId: string, userId: string): Promise<Person> {
  const user = await db.selectFrom('app_user').selectAll().where('id', '=', userId).executeTakeFirstOrThrow();
  const named = await db
    .selectFrom('resource_subject')
    .select('subject')
    .where('resource_id', '=', resourceId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return {
    userName: user.name,
    displayName: user.display_name,
    mailAddresses: user.email === '' ? [] : [user.email],
    subject: named?.subject ?? '',
  };
}
