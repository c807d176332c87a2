import { sql, type Kysely } from 'kysely';

/** Whether the worst of what sessions leave behind is undone. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const column = 'undo_changes integer not null default 0 check (undo_changes in (0, 1))';
  await sql.raw(`alter table session add column ${column}`).execute(db);
}
