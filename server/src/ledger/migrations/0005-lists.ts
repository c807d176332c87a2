import { sql, type Kysely } from 'kysely';

const statements = (): string[] => [
  `create index app_user_by_name on app_user (name)`,
  `create index device_by_name on device (name)`,
  `create index session_live_by_created on session (created_at_ms) where state <> 'ended'`,
];

/** What lists are read by, in the orders that they offer. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements()) await sql.raw(statement).execute(db);
}
