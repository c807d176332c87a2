import { sql, type Kysely } from 'kysely';

const statements = [
  `alter table join_token add column device_id text references device (id)
     constraint join_token_for_a_device_works_once check (device_id is null or uses = 1)`,
  'alter table device add column key_since_ms integer',
  `create table device_former_key (key_hash text primary key, device_id text not null references device (id),
     replaced_at_ms integer not null)`,
];

/** Tokens that let one device in again, since when it has its present key, and the keys that it had before. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
