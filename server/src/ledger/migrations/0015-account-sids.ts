import { sql, type Kysely } from 'kysely';

/** The SID of an account of Windows, whose uid is a number that is made of it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(`alter table device_account add column sid text not null default ''`).execute(db);
}
