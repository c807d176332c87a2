import type { InstantMs } from '@curfew/shared';
import type { LedgerTransaction } from '../ledger/ledger.js';
import { pauseRunning } from '../releases/rollouts.js';
import { moveRequest, requestFromRow, selectRequests } from '../requests/request-record.js';
import { endSessions } from '../sessions/end-sessions.js';
import { endSignIns } from '../sign-in/end-sign-ins.js';
import { revokeTokens } from '../users/revoke-tokens.js';

const SERVER = { kind: 'server' } as const;

/** What was ended. */
export interface Ended {
  readonly sessions: number;
  readonly approvals: number;
  readonly joinTokens: number;
  readonly signIns: number;
}

/**
 * Ends, in a ledger that comes from a backup, all that would give a right without anybody deciding again: live sessions,
 * approvals, join tokens, and who is signed in. Each of them may have been ended in what the ledger has lost. A rollout
 * that runs may have been stopped there: it is paused.
 */
export async function endWhatMayBeOver(tx: LedgerTransaction, now: InstantMs): Promise<Ended> {
  const detail = 'the ledger was restored from a backup';
  const sessions = await endSessions(
    tx,
    now,
    { everything: true },
    { reason: 'revoked', by: '', actor: SERVER, detail },
  );
  const approved = await selectRequests(tx.db).where('r.state', '=', 'approved').execute();
  for (const row of approved) await moveRequest(tx, requestFromRow(row), 'cancelled', now, SERVER);
  const joinTokens = await tx.db
    .updateTable('join_token')
    .set({ revoked_at_ms: now })
    .where('revoked_at_ms', 'is', null)
    .where('uses_left', '>', 0)
    .where('expires_at_ms', '>', now)
    .returning('id')
    .execute();
  for (const { id } of joinTokens) tx.audit({ type: 'join_token.revoked', actor: SERVER, subject: id });
  const signIns = await endSignIns(tx, { now, actor: SERVER, why: 'ledger restored' });
  // Also those that were let in during sign-ins which had ended by then.
  await revokeTokens(tx, { toolsOnly: true, now, actor: SERVER });
  await pauseRunning(tx, detail);
  return { sessions: sessions.length, approvals: approved.length, joinTokens: joinTokens.length, signIns };
}
