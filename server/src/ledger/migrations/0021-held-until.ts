import { sql, type Kysely } from 'kysely';

/** Until when a device may hold a session whose end was moved forward while it could not be told. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('alter table session add column held_until_ms integer').execute(db);
}
