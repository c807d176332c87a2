import { sql, type Kysely } from 'kysely';

/** Whether the prompts of a Linux desktop are answered as well. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const column = 'desktop integer not null default 0 check (desktop in (0, 1))';
  await sql.raw(`alter table session add column ${column}`).execute(db);
}
