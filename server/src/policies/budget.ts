import { DAY, formatDuration, MINUTE } from '@curfew/shared';
import type { UsedTime } from './policy-facts.js';
import type { Budget } from './policy-spec.js';

const WEEK = 7 * DAY;

/** What is asked of a budget now. */
export interface BudgetAsk {
  /** Sessions more: 1 for a new one, 0 for one that becomes longer. */
  readonly sessions: 0 | 1;
  /** Time more. */
  readonly ms: number;
}

/**
 * The first limit that an ask would break, in words that follow the policy's name; undefined when it breaks none.
 * Requests that may still be started count as if they were, so that nobody can save them up.
 */
export function budgetProblem(
  budget: Budget,
  used: readonly UsedTime[],
  ask: BudgetAsk,
  nowMs: number,
): string | undefined {
  if (ask.sessions > 0) {
    const other = used.find(({ kind }) => kind !== 'over');
    if (budget.oneAtATime && other !== undefined) return 'allows one session at a time, and there is another';
    const lastEnd = Math.max(...used.filter(({ kind }) => kind === 'over').map(({ toMs }) => toMs));
    const again = lastEnd + budget.coolDownMs;
    if (again > nowMs) return `allows the next session in ${formatDuration(roundUp(again - nowMs))}`;
  }
  for (const [windowMs, name, sessions, minutes] of [
    [DAY, '24 hours', budget.sessionsPerDay, budget.minutesPerDay],
    [WEEK, '7 days', budget.sessionsPerWeek, budget.minutesPerWeek],
  ] as const) {
    const from = nowMs - windowMs;
    if (sessions > 0 && ask.sessions + used.filter((one) => countsSince(one, from)).length > sessions)
      return `allows ${sessions} sessions in ${name}, and they are used up`;
    if (minutes > 0 && ask.ms + usedSince(used, from) > minutes * MINUTE)
      return `allows ${minutes} minutes in ${name}, and ${leftText(minutes * MINUTE - usedSince(used, from))} left`;
  }
  return undefined;
}

const countsSince = ({ kind, fromMs }: UsedTime, since: number): boolean => kind === 'open' || fromMs > since;

const usedSince = (used: readonly UsedTime[], since: number): number =>
  used.reduce((sum, { fromMs, toMs }) => sum + Math.max(0, toMs - Math.max(fromMs, since)), 0);

const roundUp = (ms: number): number => Math.ceil(ms / 1000) * 1000;

const leftText = (ms: number): string =>
  ms < 1000 ? 'none are' : `${formatDuration(Math.floor(ms / 1000) * 1000)} are`;
