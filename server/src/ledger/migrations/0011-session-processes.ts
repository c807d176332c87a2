import { sql, type Kysely } from 'kysely';

const statements = [
  `alter table session add column keep_processes integer not null default 0 check (keep_processes in (0, 1))`,
  `alter table session add column processes text check (json_valid(processes))`,
];

/** Whether what sessions leave running is ended, and what has become of it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
