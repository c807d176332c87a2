import { formatDuration, MINUTE, type ErrorCode, type GrantOptions } from '@curfew/shared';
import { budgetProblem } from './budget.js';
import { isWithinHours } from './hours-of-day.js';
import { checkPolicy, type PolicyCheck } from './matches-policy.js';
import { patternFinds, patternIs } from './pattern.js';
import type { PolicyFacts } from './policy-facts.js';
import { stepsOf, type ApprovalStep, type Policy, type PolicySpec } from './policy-spec.js';

const USUAL_DURATION = 30 * MINUTE;

/** Why a request may not be made: an error with its fields, and in words. */
interface Refusal {
  readonly code: ErrorCode;
  readonly fields: Readonly<Record<string, string>>;
  readonly reason: string;
}

/** What the policies make of a request, and why. */
export interface PolicyAnswer {
  /** The first policy that matches; undefined when none does, and then nothing is allowed. */
  readonly policy: Policy | undefined;
  readonly refusal: Refusal | undefined;
  readonly reason: string;
  /** Every policy that was looked at, in order: the last one decides. */
  readonly checks: readonly PolicyCheck[];
  readonly maxDurationMs: number;
  readonly defaultDurationMs: number;
  readonly autoApproved: boolean;
  readonly steps: readonly ApprovalStep[];
  /** What is given: the policy's own options where it has some, else what is asked for. */
  readonly options: GrantOptions;
}

/** The server's limits, which no policy widens. */
export interface ServerLimits {
  readonly maxSessionMs: number;
}

/**
 * Decides by the first policy that matches. The same answer decides requests and tells people why, so the two cannot
 * come apart.
 */
export function decide(
  policies: readonly Policy[],
  facts: PolicyFacts,
  limits: ServerLimits,
  nowMs: number,
): PolicyAnswer {
  const checks: PolicyCheck[] = [];
  const policy = policies.find((candidate) => {
    const check = checkPolicy(candidate, facts, nowMs);
    checks.push(check);
    return check.matches;
  });
  if (policy === undefined) return denied(undefined, checks, facts, limits, 'no policy allows this');
  if (policy.spec.effect === 'deny')
    return denied(policy, checks, facts, limits, `the policy '${policy.name}' denies this`);
  const { spec } = policy;
  const maxDurationMs = longest(spec, limits);
  const refusal = refusalBy(policy, facts, maxDurationMs, nowMs);
  const autoApproved = refusal === undefined && approvesItself(spec, facts, maxDurationMs, nowMs);
  return {
    policy,
    refusal,
    reason: refusal?.reason ?? allowedText(policy, autoApproved),
    checks,
    maxDurationMs,
    defaultDurationMs: Math.min(spec.defaultDurationMs ?? USUAL_DURATION, maxDurationMs),
    autoApproved,
    steps: stepsOf(spec),
    options: optionsGiven(spec, facts.ask.options),
  };
}

/** The longest that a session may last under a policy, extensions included. */
export const longest = (spec: Pick<PolicySpec, 'maxDurationMs'>, { maxSessionMs }: ServerLimits): number =>
  Math.min(spec.maxDurationMs ?? maxSessionMs, maxSessionMs);

function denied(
  policy: Policy | undefined,
  checks: readonly PolicyCheck[],
  facts: PolicyFacts,
  limits: ServerLimits,
  reason: string,
): PolicyAnswer {
  return {
    policy,
    refusal: { code: 'POLICY_DENIES', fields: { reason }, reason },
    reason,
    checks,
    maxDurationMs: 0,
    defaultDurationMs: Math.min(USUAL_DURATION, limits.maxSessionMs),
    autoApproved: false,
    steps: [],
    options: facts.ask.options,
  };
}

const optionsGiven = ({ target }: PolicySpec, asked: GrantOptions): GrantOptions =>
  target.kind === 'device' && target.options !== null ? target.options : asked;

function refusalBy(
  { name, spec }: Policy,
  { ask, used }: PolicyFacts,
  maxDurationMs: number,
  nowMs: number,
): Refusal | undefined {
  const { durationMs, reason, ticket, breakGlass } = ask;
  if (breakGlass && !spec.breakGlass) {
    const text = `the policy '${name}' knows no break-glass`;
    return { code: 'POLICY_DENIES', fields: { reason: text }, reason: text };
  }
  if (durationMs !== undefined && durationMs > maxDurationMs) {
    const [given, limit] = [formatDuration(durationMs), formatDuration(maxDurationMs)];
    const fields = { field: 'duration', given, limit };
    return { code: 'DURATION_TOO_LONG', fields, reason: `${given} is longer than the ${limit} allowed` };
  }
  if (reason !== undefined && spec.reasonPattern !== '' && !patternFinds(spec.reasonPattern, reason))
    return patternRefusal('REASON_INVALID', name, spec.reasonPattern, 'the reason');
  if (ticket !== undefined && spec.ticketPattern !== '' && !patternIs(spec.ticketPattern, ticket))
    return patternRefusal('TICKET_INVALID', name, spec.ticketPattern, 'the ticket');
  const own = used.filter(({ policyName }) => policyName === name);
  const limit =
    spec.budget === null ? undefined : budgetProblem(spec.budget, own, { sessions: 1, ms: durationMs ?? 0 }, nowMs);
  if (limit !== undefined)
    return { code: 'BUDGET_EXHAUSTED', fields: { policy: name, limit }, reason: `the policy '${name}' ${limit}` };
  return undefined;
}

const patternRefusal = (code: ErrorCode, policy: string, pattern: string, what: string): Refusal => ({
  code,
  fields: { policy, pattern },
  reason: `the policy '${policy}' wants ${what} to match ${pattern}`,
});

function approvesItself(spec: PolicySpec, { ask }: PolicyFacts, maxDurationMs: number, nowMs: number): boolean {
  if (spec.autoApproval === null) return false;
  const limit = Math.min(spec.autoApproval.maxDurationMs ?? maxDurationMs, maxDurationMs);
  return (ask.durationMs ?? 0) <= limit && isWithinHours(spec.autoApproval.hours, nowMs);
}

const allowedText = ({ name }: Policy, autoApproved: boolean): string =>
  autoApproved ? `the policy '${name}' allows this and approves it by itself` : `the policy '${name}' allows this`;
