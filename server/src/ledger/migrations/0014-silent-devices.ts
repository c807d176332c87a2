import { sql, type Kysely } from 'kysely';

const statements = [
  'alter table device add column silent_since_ms integer',
  'create index device_silent on device (silent_since_ms) where silent_since_ms is not null',
];

/** Since when a device with live sessions is known to be silent; null while it is not. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
