import { sql, type Kysely } from 'kysely';

const statements = [
  `alter table session add column record_mode text
     constraint session_record_mode_is_known check (record_mode in ('commands', 'output', 'input_and_output'))`,
  `alter table session add column record_required integer not null default 0
     constraint session_record_required_is_a_flag check (record_required in (0, 1))`,
  `alter table session add column record_keep_ms integer
     constraint session_record_keep_is_positive check (record_keep_ms > 0)`,
];

/** What is recorded of sessions. The recordings themselves are in a database of their own. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
