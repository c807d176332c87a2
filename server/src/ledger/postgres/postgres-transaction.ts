import type { AuditEntry } from '../../audit/audit-entry.js';
import type { AuditRows } from '../audit-writer.js';
import type { Change, LedgerTransaction } from '../ledger.js';
import { readMeta, writeMeta } from '../ledger-meta.js';
import type { PostgresConnection } from './postgres-connection.js';

/** What is written down at the end of a transaction. */
export interface Draft {
  /** The newest, with it. */
  revision: number;
  readonly changes: Change[];
  readonly entries: AuditEntry[];
}

/** One unit of work on a connection, whose changes and entries go into a draft. */
export const transactionOn = ({ db }: PostgresConnection, draft: Draft): LedgerTransaction => ({
  db,
  audit: (entry) => draft.entries.push(entry),
  changed: (kind, id, deviceId = '', takesAway = false) => {
    draft.revision += 1;
    draft.changes.push({ revision: draft.revision, kind, id, deviceId, ...(takesAway ? { takesAway } : {}) });
    return draft.revision;
  },
});

/** Says in the ledger that something of it is lost, as a device does that has seen more. */
export async function noteLoss(tx: LedgerTransaction): Promise<void> {
  const meta = await readMeta(tx.db);
  tx.changed('ledger', meta.id);
  if (meta.rolledBack !== '') return;
  await writeMeta(tx.db, { rolledBack: 'a standby of PostgreSQL has taken over that had not everything' });
  tx.audit({ type: 'ledger.rollback_detected', actor: { kind: 'server' }, subject: meta.id });
}

/** Whether a change stands in the ledger; what changed nothing is not missing. */
export async function isThere(connection: PostgresConnection, change: Change | undefined): Promise<boolean> {
  if (change === undefined) return true;
  const { revision, kind, id } = change;
  const text = 'select 1 as there from change where revision = $1 and kind = $2 and id = $3';
  return (await connection.run(text, [revision, kind, id])).length > 0;
}

/** All rows in two statements, whatever their number. */
export async function insertAudit(
  connection: PostgresConnection | undefined,
  { events, nodes }: AuditRows,
): Promise<void> {
  if (connection === undefined) throw new Error('there is no transaction');
  await connection.run(
    `insert into audit_event (idx, at_ms, type, actor, subject, record)
       select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bytea[])`,
    [
      events.map(({ idx }) => idx),
      events.map(({ at_ms }) => at_ms),
      events.map(({ type }) => type),
      events.map(({ actor }) => actor),
      events.map(({ subject }) => subject),
      events.map(({ record }) => record),
    ],
  );
  await connection.run(
    `insert into audit_node (level, idx, hash) select * from unnest($1::bigint[], $2::bigint[], $3::bytea[])`,
    [nodes.map(({ level }) => level), nodes.map(({ index }) => index), nodes.map(({ hash }) => hash)],
  );
}
