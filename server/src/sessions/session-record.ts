import type { GrantOptions } from '@curfew/shared';
import { sql, type Selectable } from 'kysely';
import type { LedgerReader } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';
import type { RecordingRule } from '../policies/policy-spec.js';
import type { ProcessOutcome } from './note-processes.js';

/** An account as requests, sessions and leases name it. */
export interface AccountIdentity {
  readonly name: string;
  /** For an account of Windows the number that `accountNumber` gives. */
  readonly uid: number;
  /** Of an account of Windows; '' or absent for others. */
  readonly sid?: string;
  readonly fingerprint: string;
}

type SessionRow = Selectable<Tables['session']>;

/** A session with the names that people know things by. */
export type SessionRecord = Omit<SessionRow, 'account' | 'options' | 'processes' | 'device_id' | 'resource_id'> & {
  /** '' for a resource that is on no device. */
  readonly device_id: string;
  /** '' for admin rights on a device. */
  readonly resource_id: string;
  readonly resource_name: string;
  readonly account: AccountIdentity;
  readonly options: GrantOptions;
  /** What became of the processes that it left running; null until the device has said. */
  readonly processes: ProcessOutcome | null;
  readonly user_name: string;
  readonly device_name: string;
  readonly device_last_seen_at_ms: number | null;
  /** As the device's facts name it, such as 'PLATFORM_LINUX'; '' when unknown. */
  readonly device_platform: string;
  /** How a resource that is on no device calls the user, and what it has not confirmed. */
  readonly grant: GrantStatus | undefined;
};

/** What is recorded of a session; null means nothing. */
export const recordingOf = (
  session: Pick<SessionRow, 'record_mode' | 'record_required' | 'record_keep_ms'>,
): RecordingRule | null =>
  session.record_mode === null
    ? null
    : { mode: session.record_mode, required: session.record_required === 1, keepMs: session.record_keep_ms };

/** How far a resource is behind the ledger. */
export interface GrantStatus {
  readonly subject: string;
  /** Since when what the ledger wants is overdue; null while it is not. */
  readonly unconfirmedSinceMs: number | null;
  readonly nextAttemptMs: number | null;
  readonly error: string;
}

/** Sessions with their names, ready for conditions. */
export const selectSessions = (db: LedgerReader) =>
  db
    .selectFrom('session as s')
    .innerJoin('app_user as u', 'u.id', 's.user_id')
    .leftJoin('device as d', 'd.id', 's.device_id')
    .leftJoin('resource as r', 'r.id', 's.resource_id')
    .leftJoin('resource_grant as g', 'g.session_id', 's.id')
    .leftJoin('connector as c', 'c.id', 'r.connector_id')
    .selectAll('s')
    .select([
      'u.name as user_name',
      'd.name as device_name',
      'd.last_seen_at_ms as device_last_seen_at_ms',
      'd.platform as device_platform',
      'r.name as resource_name',
      'g.phase as grant_phase',
      'g.subject_label as grant_subject',
      'g.due_at_ms as grant_due_at_ms',
      'g.attempts as grant_attempts',
      'g.attempt_error as grant_error',
      'c.next_attempt_at_ms as connector_next_attempt_at_ms',
      'c.last_error as connector_error',
    ]);

type NamedRow = Awaited<ReturnType<ReturnType<typeof selectSessions>['executeTakeFirstOrThrow']>>;

export const sessionFromRow = (row: NamedRow): SessionRecord => ({
  ...row,
  device_id: row.device_id ?? '',
  device_name: row.device_name ?? '',
  device_platform: row.device_platform ?? '',
  resource_id: row.resource_id ?? '',
  resource_name: row.resource_name ?? '',
  grant: grantStatus(row),
  account: JSON.parse(row.account) as AccountIdentity,
  options: JSON.parse(row.options) as GrantOptions,
  processes: row.processes === null ? null : (JSON.parse(row.processes) as ProcessOutcome),
});

/** What is due and has failed, or waits for a connector that fails, is overdue since it was decided. */
function grantStatus(row: NamedRow): GrantStatus | undefined {
  if (row.grant_phase === null) return undefined;
  const { grant_due_at_ms: dueMs, connector_next_attempt_at_ms: connectorMs } = row;
  const isOverdue = dueMs !== null && ((row.grant_attempts ?? 0) > 0 || connectorMs !== null);
  const subject = row.grant_subject ?? '';
  if (!isOverdue) return { subject, unconfirmedSinceMs: null, nextAttemptMs: null, error: '' };
  return {
    subject,
    unconfirmedSinceMs: row.ending_at_ms ?? row.active_at_ms ?? row.created_at_ms,
    nextAttemptMs: Math.max(dueMs, connectorMs ?? 0),
    error: row.grant_error === null || row.grant_error === '' ? (row.connector_error ?? '') : row.grant_error,
  };
}

/** How many ids one statement takes; SQLite takes 32,766 values. */
const CHUNK = 10_000;

/** The sessions of these ids, in the order of the ids. */
export async function sessionsById(db: LedgerReader, ids: readonly string[]): Promise<SessionRecord[]> {
  const found = new Map<string, SessionRecord>();
  for (let at = 0; at < ids.length; at += CHUNK)
    for (const row of await selectSessions(db)
      .where('s.id', 'in', ids.slice(at, at + CHUNK))
      .execute())
      found.set(row.id, sessionFromRow(row));
  return ids.flatMap((id) => found.get(id) ?? []);
}

/** Those of the sessions that are over. */
export async function endedAmong(db: LedgerReader, ids: readonly string[]): Promise<string[]> {
  const ended: string[] = [];
  for (let at = 0; at < ids.length; at += CHUNK) {
    const query = db.selectFrom('session').select('id').where('state', '=', 'ended');
    for (const { id } of await query.where('id', 'in', ids.slice(at, at + CHUNK)).execute()) ended.push(id);
  }
  return ended;
}

/** A session that is not over, and the device that has to confirm its end; null for a resource that is on none. */
export interface OpenSession {
  readonly id: string;
  readonly device_id: string | null;
}

/** Those of the sessions that are not over. */
export async function openAmong(db: LedgerReader, ids: readonly string[]): Promise<OpenSession[]> {
  const open: OpenSession[] = [];
  for (let at = 0; at < ids.length; at += CHUNK) {
    const query = db.selectFrom('session').select(['id', 'device_id']).where('state', '<>', 'ended');
    for (const row of await query.where('id', 'in', ids.slice(at, at + CHUNK)).execute()) open.push(row);
  }
  return open;
}

/** Notes the move of sessions in their history; the caller updates the sessions themselves right after. */
export async function noteMoves(
  db: LedgerReader,
  ids: readonly string[],
  to: SessionRow['state'],
  atMs: number,
): Promise<void> {
  await db
    .insertInto('session_transition')
    .columns(['session_id', 'seq', 'prior_seq', 'prior_state', 'state', 'at_ms'])
    .expression((eb) =>
      eb
        .selectFrom('session')
        .select([
          'id',
          sql<number>`seq + 1`.as('seq'),
          'seq as prior_seq',
          'state as prior_state',
          sql<typeof to>`${to}`.as('state'),
          sql<number>`${atMs}`.as('at_ms'),
        ])
        .where('id', 'in', ids),
    )
    .execute();
}
