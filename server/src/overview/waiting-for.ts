import { sql } from 'kysely';
import type { LedgerReader } from '../ledger/ledger.js';
import { decidableBy, REVIEW_WAITS } from '../requests/decidable-by.js';
import { deciderOf } from '../requests/decide-request.js';
import type { Caller } from '../users/caller.js';

/** How many requests the caller may decide now, by the steps of their policies: as many as the list of them has. */
export async function waitingFor(db: LedgerReader, caller: Caller): Promise<number> {
  const { count } = await db
    .selectFrom('access_request as r')
    .select(sql<number>`count(*)`.as('count'))
    .where('r.state', '=', 'pending')
    .where(await decidableBy(db, await deciderOf(db, caller)))
    .executeTakeFirstOrThrow();
  return count;
}

/** How many break-glass sessions wait for their review. */
export async function reviewsWaiting(db: LedgerReader): Promise<number> {
  const { count } = await db
    .selectFrom('access_request as r')
    .select(sql<number>`count(*)`.as('count'))
    .where(REVIEW_WAITS)
    .executeTakeFirstOrThrow();
  return count;
}
