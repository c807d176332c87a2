import { sql, type Kysely } from 'kysely';
import { DRIFT_KINDS } from '../../timed-access/grant-phase.js';

const list = (values: readonly string[]): string => values.map((value) => `'${value}'`).join(', ');

const statements = (): string[] => [
  `alter table resource_drift rename to resource_drift_without_id`,
  `create table resource_drift (id text primary key, resource_id text not null references resource (id),
     kind text not null check (kind in (${list(DRIFT_KINDS)})), subject_id text not null, label text not null,
     session_id text not null, seen_at_ms integer not null,
     constraint resource_drift_is_told_once unique (resource_id, subject_id, kind, session_id))`,
  `insert into resource_drift (id, resource_id, kind, subject_id, label, session_id, seen_at_ms)
     select 'dft-' || lower(hex(randomblob(10))), resource_id, kind, subject_id, label, session_id, seen_at_ms
     from resource_drift_without_id`,
  `drop table resource_drift_without_id`,
];

/** Differences have ids, by which operators settle them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements()) await sql.raw(statement).execute(db);
}
