import { roleContains, type Role } from '../users/role.js';
import { isAmong, namesText } from './matches-policy.js';
import type { ApprovalStep } from './policy-spec.js';

/** Who wants to decide. */
export interface Decider {
  readonly userId: string;
  readonly name: string;
  readonly role: Role;
  readonly groups: readonly string[];
}

/** What was decided so far, as far as it matters who may be next. */
interface EarlierDecision {
  readonly step: number;
  /** null for the policy's own. */
  readonly user_id: string | null;
}

/** A decision under way. */
export interface OpenDecision {
  readonly requesterId: string;
  readonly selfApproval: boolean;
  /** The step that waits, from 1. */
  readonly step: number;
  readonly steps: readonly ApprovalStep[];
  readonly decisions: readonly EarlierDecision[];
}

/** Why somebody may not decide now; undefined when they may. One person counts once for a request, in whatever step. */
export function decisionProblem(
  { requesterId, selfApproval, step, steps, decisions }: OpenDecision,
  decider: Decider,
): 'SELF_APPROVAL' | 'DECISION_NOT_YOURS' | 'DECISION_ALREADY_MADE' | undefined {
  const waiting = steps[step - 1];
  if (decider.userId === requesterId && !selfApproval) return 'SELF_APPROVAL';
  if (waiting === undefined || !mayDecide(waiting, decider)) return 'DECISION_NOT_YOURS';
  if (decisions.some(({ user_id }) => user_id === decider.userId)) return 'DECISION_ALREADY_MADE';
  return undefined;
}

/** Named people, too, decide only with the role for it. */
export const mayDecide = (step: ApprovalStep, decider: Pick<Decider, 'name' | 'role' | 'groups'>): boolean =>
  roleContains(decider.role, 'approver') && (step.users.length + step.groups.length === 0 || isAmong(step, decider));

/** Whether somebody may change what was decided: those who may decide one of its steps, and admins. */
export const mayChange = (
  steps: readonly ApprovalStep[],
  decider: Pick<Decider, 'name' | 'role' | 'groups'>,
): boolean => roleContains(decider.role, 'admin') || steps.some((step) => mayDecide(step, decider));

/** The same people in words: 'group security, any approver or an admin'. */
export const whoMayChange = (steps: readonly ApprovalStep[]): string =>
  `${[...new Set(steps.map(whoText))].join(', ')} or an admin`;

const whoText = (step: ApprovalStep): string =>
  step.users.length + step.groups.length === 0 ? 'any approver' : namesText(step);

/** How many approvals the step that waits still needs. */
export function approvalsLeft({ step, steps, decisions }: Omit<OpenDecision, 'requesterId' | 'selfApproval'>): number {
  const given = decisions.filter((decision) => decision.step === step).length;
  return Math.max(0, (steps[step - 1]?.approvals ?? 1) - given);
}

/** Who a decision waits for, in words: 'any approver', 'group security, 1 of 2 given'. */
export function waitsFor(open: Omit<OpenDecision, 'requesterId' | 'selfApproval'>): string {
  const waiting = open.steps[open.step - 1];
  if (waiting === undefined) return '';
  const who = whoText(waiting);
  if (waiting.approvals <= 1) return who;
  return `${who}, ${waiting.approvals - approvalsLeft(open)} of ${waiting.approvals} given`;
}
