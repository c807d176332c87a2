import { CurfewError, formatDuration, requestCan } from '@curfew/shared';
import type { Actor } from '../audit/audit-entry.js';
import type { DeviceRow } from '../devices/find-device.js';
import type { LedgerTransaction } from '../ledger/ledger.js';
import { budgetProblem } from '../policies/budget.js';
import { usedUnder } from '../policies/load-facts.js';
import { moveRequest, requestById, type RequestRecord } from '../requests/request-record.js';
import { placeOf, type ResourcePlace } from '../resources/device-group.js';
import { findOpenResource, type ResourceRow } from '../resources/find-resource.js';
import type { UseCaseContext } from '../use-case-context.js';
import { userById } from '../users/users.js';
import { assertEnabled } from './grant-rules.js';
import { insertResourceSession } from './insert-resource-session.js';
import { insertSession } from './insert-session.js';

/** Who starts, and when they last signed in; undefined where nobody has, as on a device. */
export interface Starter {
  readonly actor: Actor;
  readonly freshAtMs: number | undefined;
}

/** Starts what begins as soon as it is approved: timed access. Errors: those of `startRequest`, `findOpenResource` and `placeOf`. */
export async function startAtApproval(
  tx: LedgerTransaction,
  context: UseCaseContext,
  request: RequestRecord,
): Promise<RequestRecord> {
  const actor = { kind: 'server' } as const;
  const resource = await findOpenResource(tx.db, request.resource_id);
  const user = await userById(tx.db, request.user_id);
  const place = await placeOf(tx, context, resource, user, { account: request.account.name, actor });
  await startRequest(tx, context, { resource, place }, request, { actor, freshAtMs: undefined });
  return requestById(tx.db, request.id);
}

/**
 * Starts an approved request, on the terms that it was made under. Returns the session's id. Errors: USER_DISABLED,
 * REQUEST_NOT_APPROVED, FRESH_SIGN_IN_REQUIRED, BUDGET_EXHAUSTED, DEVICE_IDENTITY_CONFLICT, SESSION_ALREADY_LIVE.
 */
export async function startRequest(
  tx: LedgerTransaction,
  context: UseCaseContext,
  target: { readonly device: DeviceRow } | { readonly resource: ResourceRow; readonly place: ResourcePlace },
  request: RequestRecord,
  starter: Starter,
): Promise<string> {
  assertEnabled(await userById(tx.db, request.user_id));
  const now = context.clock.now();
  const lapsed = request.start_by_ms !== null && request.start_by_ms <= now;
  if (!requestCan.start(request.state) || lapsed)
    throw new CurfewError('REQUEST_NOT_APPROVED', { id: request.id, state: lapsed ? 'lapsed' : request.state });
  const { terms } = request;
  // What starts by itself was asked for by somebody who had just signed in.
  if ('device' in target) assertFresh(terms.freshSignInMs, starter.freshAtMs, now);
  await assertWithinBudget(tx, request, now);
  const given = {
    userId: request.user_id,
    durationMs: request.duration_ms,
    reason: request.reason,
    grantedBy: request.decided_by,
    requestId: request.id,
    actor: starter.actor,
    terms: {
      policyName: request.policy_name,
      policyVersion: request.policy_version,
      breakGlass: request.break_glass === 1,
      longestMs: terms.maxDurationMs,
      noExtension: terms.noExtension,
      keepProcesses: terms.keepProcesses,
      recording: terms.recording,
      undoChanges: terms.undoChanges,
      desktop: terms.desktop,
      offlineEndAfterMs: terms.offlineEndAfterMs,
    },
  };
  const { account, options } = request;
  const sessionId =
    'device' in target
      ? await insertSession(tx, context, target.device, { ...given, account, options })
      : await insertResourceSession(tx, context, target.resource, target.place, given);
  await moveRequest(tx, request, 'started', now, starter.actor, { session_id: sessionId });
  return sessionId;
}

/** A sign-in from the future proves nothing: the clock was set back. Errors: FRESH_SIGN_IN_REQUIRED. */
export function assertFresh(withinMs: number | null, freshAtMs: number | undefined, now: number): void {
  if (withinMs === null) return;
  const ageMs = freshAtMs === undefined ? Infinity : now - freshAtMs;
  if (ageMs < 0 || ageMs > withinMs)
    throw new CurfewError('FRESH_SIGN_IN_REQUIRED', { within: formatDuration(withinMs) });
}

/** Much may have been taken since it was asked for. */
async function assertWithinBudget(tx: LedgerTransaction, request: RequestRecord, now: number): Promise<void> {
  const { budget } = request.terms;
  if (budget === null) return;
  const policy = { name: request.policy_name, spec: request.terms };
  const used = await usedUnder(tx.db, request.user_id, [policy], now, request.id);
  // What only waits does not stand in the way of what is approved.
  const taken = used.filter(({ kind }) => kind !== 'open');
  const limit = budgetProblem(budget, taken, { sessions: 1, ms: request.duration_ms }, now);
  if (limit !== undefined) throw new CurfewError('BUDGET_EXHAUSTED', { policy: policy.name, limit });
}
