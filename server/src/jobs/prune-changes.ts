import { sql } from 'kysely';
import type { Ledger } from '../ledger/ledger.js';

/** How many of the newest changes stay: whoever follows them is never so far behind. */
const CHANGES_KEPT = 100_000;
/** How many go in one transaction, so that a revoke need not wait for long. */
const BATCH = 5_000;

/** Deletes changes that nobody follows any more; what happened stays in the audit log. Returns how many went. */
export async function pruneChanges(ledger: Ledger, kept = CHANGES_KEPT): Promise<number> {
  let pruned = 0;
  for (let more = true; more;) {
    const rows = await ledger.read((db) =>
      db
        .selectFrom('change')
        .select('revision')
        .where('revision', '<=', sql<number>`(select max(revision) from change) - ${kept}`)
        .orderBy('revision')
        .limit(BATCH)
        .execute(),
    );
    const last = rows.at(-1);
    if (last !== undefined)
      await ledger.write(async ({ db }) => {
        await db.deleteFrom('change').where('revision', '<=', last.revision).execute();
      });
    pruned += rows.length;
    more = rows.length === BATCH;
  }
  return pruned;
}
