import { newId, systemRandom } from '@curfew/shared';
import Database from 'better-sqlite3';
import { insertRow } from './large-ledger.js';

/** Active sessions of one resource: one for each user. */
export interface HeldResource {
  /** The resource's name. */
  readonly resource: string;
  /** Users' names; the resource calls them the same. */
  readonly users: readonly string[];
}

/**
 * Puts active sessions into the ledger of a server that does not run, all with the same end: what has been given and
 * confirmed. Everything goes through the schema's own rules, except that no audit events are written.
 */
export function fillResourceSessions(file: string, held: readonly HeldResource[], expiresAtMs: number): void {
  const db = new Database(file);
  try {
    db.pragma('synchronous = OFF');
    db.pragma('foreign_keys = ON');
    const idOf = (table: 'resource' | 'app_user', name: string): string =>
      db.prepare(`select id from ${table} where name = ?`).pluck().get(name) as string;
    db.transaction(() => {
      for (const { resource, users } of held) {
        const resourceId = idOf('resource', resource);
        for (const user of users) insertHeld(db, resourceId, { id: idOf('app_user', user), name: user }, expiresAtMs);
      }
    })();
    db.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    db.close();
  }
}

const HOUR_MS = 3_600_000;

function insertHeld(
  db: Database.Database,
  resourceId: string,
  user: { readonly id: string; readonly name: string },
  expiresAtMs: number,
): void {
  const [id, created] = [newId('session', systemRandom), expiresAtMs - HOUR_MS];
  for (const [at, state] of ['starting', 'active'].entries())
    insertRow(db, 'session_transition', {
      session_id: id,
      seq: at + 1,
      prior_seq: at,
      prior_state: at === 0 ? 'none' : 'starting',
      state,
      at_ms: created,
    });
  insertRow(db, 'session', {
    id,
    kind: 'timed_access',
    state: 'active',
    seq: 2,
    user_id: user.id,
    device_id: null,
    resource_id: resourceId,
    uid: 0,
    account: JSON.stringify({ name: '', uid: 0, fingerprint: '' }),
    options: JSON.stringify({ kind: 'group_membership', passwordRequired: false, commands: [], runAs: '', group: '' }),
    reason: 'benchmark',
    granted_by: 'owner',
    epoch: 0,
    duration_ms: HOUR_MS,
    created_at_ms: created,
    active_at_ms: created,
    expires_at_ms: expiresAtMs,
    ended_by: '',
    end_detail: '',
    revision: 0,
  });
  insertRow(db, 'resource_grant', {
    session_id: id,
    resource_id: resourceId,
    phase: 'held',
    subject_id: user.name,
    subject_label: user.name,
    until_ms: expiresAtMs,
    due_at_ms: null,
    attempts: 0,
    attempt_error: '',
    doubtful_until_ms: 0,
    noticed_at_ms: null,
  });
}
