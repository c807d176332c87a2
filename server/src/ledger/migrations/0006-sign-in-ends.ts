import { sql, type Kysely } from 'kysely';

const STATEMENTS = [
  // What was given out before has no end: it stays as it was promised.
  `alter table user_password add column expires_at_ms integer
     constraint user_password_own_has_no_end check (expires_at_ms is null or must_change = 1)`,
  `alter table sign_in add column sealed_id_token text
     constraint sign_in_ended_keeps_no_id_token check (sealed_id_token is null or ended_at_ms is null)`,
];

/** When one-time passwords end, and how a provider is told at sign-out who leaves. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
