import { sql, type Kysely } from 'kysely';

/** With which version a device had what trouble the last time, as '<state> <version>': it pauses a rollout for that once. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(`alter table device add column update_trouble text not null default ''`).execute(db);
}
