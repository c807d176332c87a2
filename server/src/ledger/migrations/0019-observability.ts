import { sql, type Kysely } from 'kysely';

const STATEMENTS = [
  `alter table session add column end_request_id text not null default ''`,
  // As many as wait for a device or a resource at the moment: counted at each look at the metrics.
  `create index session_unconfirmed on session (state, kind, ending_at_ms) where state in ('starting', 'ending')`,
];

/** By which call of an operator a session was ended, '' when by none; and what is counted while the server works. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
