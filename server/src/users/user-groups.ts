import type { LedgerReader } from '../ledger/ledger.js';

/** The groups that a user is in, by name and in its order. */
export async function groupsOf(db: LedgerReader, userId: string): Promise<string[]> {
  const rows = await db.selectFrom('user_group').select('name').where('user_id', '=', userId).orderBy('name').execute();
  return rows.map(({ name }) => name);
}

/** Puts a user into these groups and no others. Whoever calls writes the audit event. */
export async function setGroups(db: LedgerReader, userId: string, names: readonly string[]): Promise<void> {
  await db.deleteFrom('user_group').where('user_id', '=', userId).execute();
  const rows = [...new Set(names)].map((name) => ({ user_id: userId, name }));
  if (rows.length > 0) await db.insertInto('user_group').values(rows).execute();
}
