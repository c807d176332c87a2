import { CurfewError, requestCan } from '@curfew/shared';
import {
  decisionProblem,
  mayChange,
  waitsFor,
  whoMayChange,
  approvalsLeft,
  type Decider,
  type OpenDecision,
} from '../policies/approval-steps.js';
import { stepsOf } from '../policies/policy-spec.js';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import { assertWithinLimit } from '../sessions/grant-rules.js';
import { startAtApproval } from '../sessions/start-session.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from '../users/caller.js';
import { groupsOf } from '../users/user-groups.js';
import { moveRequest, requestById, type RequestRecord } from './request-record.js';
import { takeBack } from './take-back.js';

/** Somebody's word on a request. */
export interface DecisionInput {
  readonly reason: string;
  /** Shorter than what is asked for, or undefined. */
  readonly durationMs?: number;
}

/** The decision of a request, as its terms have it. */
export const openDecision = (request: RequestRecord): OpenDecision => ({
  requesterId: request.user_id,
  selfApproval: request.terms.selfApproval,
  step: request.step,
  steps: stepsOf(request.terms),
  decisions: request.decisions,
});

/** A caller as one who decides, with the groups of this moment. */
export async function deciderOf(db: LedgerReader, caller: Caller): Promise<Decider> {
  return {
    userId: caller.userId,
    name: caller.userName,
    role: caller.role,
    groups: await groupsOf(db, caller.userId),
  };
}

/** Whether somebody may decide a request now. */
export const canDecide = (request: RequestRecord, decider: Decider): boolean =>
  requestCan.decide(request.state) && decisionProblem(openDecision(request), decider) === undefined;

/**
 * Approves the step that waits; the last approval of the last step approves the request, and starts it if it is for a
 * resource. Errors: REQUEST_NOT_PENDING,
 * SELF_APPROVAL, DECISION_NOT_YOURS, DECISION_ALREADY_MADE, DURATION_TOO_LONG, those of `startAtApproval`.
 */
export async function approveRequest(
  tx: LedgerTransaction,
  context: UseCaseContext,
  caller: Caller,
  request: RequestRecord,
  input: DecisionInput,
): Promise<RequestRecord> {
  const { clock, settings } = context;
  await assertMayDecide(tx, caller, request, clock.now());
  const durationMs = input.durationMs ?? request.duration_ms;
  assertWithinLimit('duration', durationMs, Math.min(request.duration_ms, settings.maxSessionMs));
  const now = clock.now();
  await noteDecision(tx, caller, request, true, input.reason, now);
  const open = openDecision(await requestById(tx.db, request.id));
  const stepDone = approvalsLeft(open) === 0;
  if (stepDone && open.step >= open.steps.length) {
    const approved = await moveRequest(tx, request, 'approved', now, callerActor(caller), {
      decided_at_ms: now,
      decided_by: caller.userName,
      decision_reason: input.reason,
      start_by_ms: now + (request.terms.startWithinMs ?? settings.startWithinMs),
      duration_ms: durationMs,
    });
    return request.resource_id === '' ? approved : startAtApproval(tx, context, approved);
  }
  const step = stepDone ? open.step + 1 : open.step;
  await tx.db
    .updateTable('access_request')
    .set({ step, duration_ms: durationMs })
    .where('id', '=', request.id)
    .execute();
  const data = { reason: input.reason, step: open.step, nextStep: step, durationMs };
  tx.audit({ type: 'request.step_approved', actor: callerActor(caller), subject: request.id, data });
  tx.changed('request', request.id, request.device_id);
  return requestById(tx.db, request.id);
}

/**
 * Ends a request for everybody: one that waits is denied, an approval that nobody has started is taken back. Errors:
 * REQUEST_NOT_PENDING, SELF_APPROVAL, DECISION_NOT_YOURS, DECISION_ALREADY_MADE.
 */
export async function denyRequest(
  tx: LedgerTransaction,
  { clock }: UseCaseContext,
  caller: Caller,
  request: RequestRecord,
  reason: string,
): Promise<RequestRecord> {
  const now = clock.now();
  if (requestCan.takeBack(request.state)) {
    await assertMayTakeBack(tx, caller, request);
    return takeBack(tx, request, now, { by: caller.userName, actor: callerActor(caller), detail: reason });
  }
  await assertMayDecide(tx, caller, request, now);
  await noteDecision(tx, caller, request, false, reason, now);
  const decision = { decided_at_ms: now, decided_by: caller.userName, decision_reason: reason };
  return moveRequest(tx, request, 'denied', now, callerActor(caller), decision);
}

async function assertMayDecide(
  tx: LedgerTransaction,
  caller: Caller,
  request: RequestRecord,
  now: number,
): Promise<void> {
  const { id } = request;
  const isLate = request.state === 'pending' && request.decide_by_ms <= now;
  const state = isLate ? 'timed_out' : request.state;
  if (!requestCan.decide(state)) throw new CurfewError('REQUEST_NOT_PENDING', { id, state });
  const open = openDecision(request);
  const problem = decisionProblem(open, await deciderOf(tx.db, caller));
  if (problem !== undefined) throw new CurfewError(problem, { id, waitsFor: waitsFor(open) });
}

async function assertMayTakeBack(tx: LedgerTransaction, caller: Caller, request: RequestRecord): Promise<void> {
  const steps = stepsOf(request.terms);
  if (mayChange(steps, await deciderOf(tx.db, caller))) return;
  const waitsFor = `its start; ${whoMayChange(steps)} can take it back`;
  throw new CurfewError('DECISION_NOT_YOURS', { id: request.id, waitsFor });
}

async function noteDecision(
  tx: LedgerTransaction,
  caller: Caller,
  request: RequestRecord,
  approved: boolean,
  reason: string,
  now: number,
): Promise<void> {
  await tx.db
    .insertInto('request_decision')
    .values({
      request_id: request.id,
      seq: request.decisions.length + 1,
      step: request.step,
      approved: Number(approved),
      user_id: caller.userId,
      decided_by: caller.userName,
      reason,
      at_ms: now,
    })
    .execute();
}
