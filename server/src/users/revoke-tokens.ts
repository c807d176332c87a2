import { instantMs, type InstantMs } from '@curfew/shared';
import type { Actor } from '../audit/audit-entry.js';
import type { LedgerTransaction } from '../ledger/ledger.js';

/**
 * Stops one token, all of a user, those of a user's tools, or those of the tools that were let in during a sign-in. Streams that
 * use them end through the 'user' change.
 */
export async function revokeTokens(
  tx: LedgerTransaction,
  which: {
    readonly tokenId?: string;
    readonly userId?: string;
    /** Those alone that a sign-in has let in, and what these have made. */
    readonly toolsOnly?: boolean;
    readonly signInId?: string;
    /** The one that stays. */
    readonly except?: string;
    readonly now: InstantMs;
    readonly actor: Actor;
  },
): Promise<void> {
  let query = tx.db
    .updateTable('api_token')
    .set({ revoked_at_ms: instantMs(which.now) })
    .where('revoked_at_ms', 'is', null);
  if (which.tokenId !== undefined) query = query.where('id', '=', which.tokenId);
  if (which.userId !== undefined) query = query.where('user_id', '=', which.userId);
  if (which.toolsOnly === true) query = query.where('sign_in_id', 'is not', null);
  if (which.except !== undefined) query = query.where('id', '<>', which.except);
  if (which.signInId !== undefined) query = query.where('sign_in_id', '=', which.signInId);
  const rows = await query.returning(['id', 'user_id']).execute();
  for (const row of rows) {
    tx.audit({ type: 'api_token.revoked', actor: which.actor, subject: row.id });
    tx.changed('user', row.user_id);
  }
}
