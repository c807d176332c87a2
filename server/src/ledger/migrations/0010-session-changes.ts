import { sql, type Kysely } from 'kysely';

const STATEMENTS = [
  `create table session_changes (session_id text primary key references session (id), report text not null,
     final integer not null check (final in (0, 1)), noted_at_ms integer not null) without rowid`,
  // What a device has said at last stands for good: whoever has the device by then may say otherwise.
  `create trigger session_changes_final_stays before update on session_changes when old.final = 1
     begin select raise(abort, 'session_changes_final_stays'); end`,
  `create trigger session_changes_stay before delete on session_changes
     begin select raise(abort, 'session_changes_stay'); end`,
];

/** What sessions leave behind on their devices. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
