import { CurfewError, sessionCan } from '@curfew/shared';
import type { LedgerTransaction } from '../ledger/ledger.js';
import { mayChange, whoMayChange } from '../policies/approval-steps.js';
import { budgetProblem } from '../policies/budget.js';
import { longest } from '../policies/decide.js';
import { usedUnder } from '../policies/load-facts.js';
import { specOfVersion } from '../policies/policy-ledger.js';
import { stepsOf } from '../policies/policy-spec.js';
import { deciderOf } from '../requests/decide-request.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from '../users/caller.js';
import { renewRight } from './end-sessions.js';
import { assertWithinLimit } from './grant-rules.js';
import type { SessionRecord } from './session-record.js';

/**
 * Lengthens a live session, within the longest of its policy and of the server. What some had to decide, others do not
 * lengthen. Errors: SESSION_NOT_LIVE, SELF_APPROVAL, EXTENSION_NOT_YOURS, EXTENSION_NOT_ALLOWED, DURATION_TOO_LONG,
 * BUDGET_EXHAUSTED.
 */
export async function extendSession(
  tx: LedgerTransaction,
  { clock, settings }: UseCaseContext,
  caller: Caller,
  session: SessionRecord,
  byMs: number,
): Promise<void> {
  const { id, state } = session;
  if (!sessionCan.extend(state)) throw new CurfewError('SESSION_NOT_LIVE', { id, state });
  if (session.user_id === caller.userId) throw new CurfewError('SELF_APPROVAL');
  const steps = stepsOf(await specOfVersion(tx.db, session.policy_name, session.policy_version));
  if (!mayChange(steps, await deciderOf(tx.db, caller)))
    throw new CurfewError('EXTENSION_NOT_YOURS', { id, who: whoMayChange(steps) });
  if (session.no_extension === 1) throw new CurfewError('EXTENSION_NOT_ALLOWED', { policy: session.policy_name });
  assertWithinLimit('by', session.duration_ms + byMs, longest({ maxDurationMs: session.longest_ms }, settings));
  await assertWithinBudget(tx, session, byMs, clock.now());
  await renewRight(tx, id, session.device_id, clock.now());
  tx.audit({ type: 'session.extended', actor: callerActor(caller), subject: id, data: { byMs } });
  const revision = tx.changed('session', id, session.device_id);
  await tx.db
    .updateTable('session')
    .set({ duration_ms: session.duration_ms + byMs, expires_at_ms: session.expires_at_ms + byMs, revision })
    .where('id', '=', id)
    .execute();
}

async function assertWithinBudget(
  tx: LedgerTransaction,
  session: SessionRecord,
  byMs: number,
  now: number,
): Promise<void> {
  const { policy_name: name, policy_version: version } = session;
  const spec = await specOfVersion(tx.db, name, version);
  if (spec.budget === null) return;
  const used = await usedUnder(tx.db, session.user_id, [{ name, spec }], now);
  const limit = budgetProblem(spec.budget, used, { sessions: 0, ms: byMs }, now);
  if (limit !== undefined) throw new CurfewError('BUDGET_EXHAUSTED', { policy: name, limit });
}
