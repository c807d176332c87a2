import { sql, type Kysely } from 'kysely';

/** Whether a change takes a right away: other servers are to tell their devices of these first, as the one does that made it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('alter table change add column takes_away integer not null default 0').execute(db);
}
