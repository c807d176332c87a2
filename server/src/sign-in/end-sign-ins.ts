import type { InstantMs } from '@curfew/shared';
import type { Actor } from '../audit/audit-entry.js';
import type { LedgerTransaction } from '../ledger/ledger.js';
import type { SignInMethod } from '../ledger/tables.js';
import { revokeTokens } from '../users/revoke-tokens.js';

/** Why a sign-in ended. */
export type SignInEnd =
  | 'signed out'
  | 'ended by hand'
  | 'signed in anew'
  | 'password changed'
  | 'user disabled'
  | 'provider says so'
  | 'ledger restored';

/**
 * Ends one sign-in, or all of a user but one. Their streams end through the 'user' change. The tools that were let in go on,
 * unless the provider says that the person is gone.
 */
export async function endSignIns(
  tx: LedgerTransaction,
  which: {
    readonly id?: string;
    readonly userId?: string;
    /** The one that stays. */
    readonly except?: string | undefined;
    readonly providerSid?: string;
    readonly method?: SignInMethod;
    readonly now: InstantMs;
    readonly actor: Actor;
    readonly why: SignInEnd;
  },
): Promise<number> {
  let query = tx.db
    .updateTable('sign_in')
    .set({ ended_at_ms: which.now, sealed_refresh_token: null, refresh_at_ms: null, sealed_id_token: null })
    .where('ended_at_ms', 'is', null);
  if (which.id !== undefined) query = query.where('id', '=', which.id);
  if (which.userId !== undefined) query = query.where('user_id', '=', which.userId);
  if (which.except !== undefined) query = query.where('id', '<>', which.except);
  if (which.providerSid !== undefined) query = query.where('provider_sid', '=', which.providerSid);
  if (which.method !== undefined) query = query.where('method', '=', which.method);
  const rows = await query.returning(['id', 'user_id', 'expires_at_ms']).execute();
  for (const row of rows) {
    const { now, actor, why } = which;
    if (why === 'provider says so') await revokeTokens(tx, { signInId: row.id, now, actor });
    // Of what was over by itself nothing ends now.
    if (row.expires_at_ms <= which.now) continue;
    tx.audit({
      type: 'sign_in.ended',
      actor: which.actor,
      subject: row.user_id,
      data: { signIn: row.id, why: which.why },
    });
    tx.changed('user', row.user_id);
  }
  return rows.length;
}
