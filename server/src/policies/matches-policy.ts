import { evaluateCondition } from './condition.js';
import type { DeviceFacts, PolicyFacts, UserFacts } from './policy-facts.js';
import type { DeviceTarget, Policy, PolicySubject } from './policy-spec.js';

/** One policy's answer to whether it is about a request, in words for people. */
export interface PolicyCheck {
  readonly policyName: string;
  readonly matches: boolean;
  readonly reason: string;
}

/**
 * Whether a policy is about the request. A condition that cannot be evaluated fails closed: an allowing policy does not
 * match, a denying one does.
 */
export function checkPolicy(policy: Policy, facts: PolicyFacts, nowMs: number): PolicyCheck {
  const answer = (matches: boolean, reason: string): PolicyCheck => ({ policyName: policy.name, matches, reason });
  if (policy.disabled) return answer(false, 'it is disabled');
  const { spec } = policy;
  const unfit = subjectProblem(spec.subject, facts.user) ?? targetProblem(spec.target, facts);
  if (unfit !== undefined) return answer(false, unfit);
  if (spec.condition === '') return answer(true, 'who asks and what is asked for fit');
  const result = evaluateCondition(spec.condition, facts, nowMs);
  if ('error' in result)
    return spec.effect === 'deny'
      ? answer(true, `its condition failed, so it denies: ${result.error}`)
      : answer(false, `its condition failed, so it does not allow: ${result.error}`);
  return result.holds ? answer(true, 'its condition holds') : answer(false, 'its condition does not hold');
}

/** Whether a user is named, or is in a named group. Nobody named means everybody. */
export const isAmong = ({ users, groups }: PolicySubject, user: Pick<UserFacts, 'name' | 'groups'>): boolean =>
  users.some((name) => name.toLowerCase() === user.name.toLowerCase()) ||
  groups.some((group) => user.groups.includes(group));

function subjectProblem(subject: PolicySubject, user: UserFacts): string | undefined {
  if (subject.users.length + subject.groups.length === 0 || isAmong(subject, user)) return undefined;
  return `it is for ${namesText(subject)}`;
}

/** 'alice, bob or group web'. */
export function namesText({ users, groups }: PolicySubject): string {
  const names = [...users, ...groups.map((group) => `group ${group}`)];
  const shown = names.length > 5 ? [...names.slice(0, 4), `${names.length - 4} others`] : names;
  return [shown.slice(0, -1).join(', '), shown.at(-1)].filter(Boolean).join(' or ');
}

function targetProblem(target: Policy['spec']['target'], facts: PolicyFacts): string | undefined {
  if (target.kind === 'resource') {
    if ('device' in facts.target) return 'it is for resources';
    // As names of resources are told apart: one whose letters change their case stays under the same policies.
    const names = target.names.map((name) => name.toLowerCase());
    return fits(names, facts.target.resource.name.toLowerCase()) ? undefined : 'it is for other resources';
  }
  if ('resource' in facts.target) return 'it is for devices';
  return deviceProblem(target, facts.target.device) ?? kindProblem(target, facts);
}

function deviceProblem(target: DeviceTarget, device: DeviceFacts): string | undefined {
  if (!fits(target.names, device.name)) return 'it is for other devices';
  for (const [name, value] of Object.entries(target.labels))
    if (!Object.hasOwn(device.labels, name) || device.labels[name] !== value)
      return `it is for devices with the label ${name}=${value}`;
  if (!fits(target.platforms, device.platform)) return `it is for ${target.platforms.join(' or ')}`;
  if (!fits(target.accounts, device.account.name)) return `it is for the account ${target.accounts.join(' or ')}`;
  return undefined;
}

const kindProblem = ({ kinds }: DeviceTarget, { ask }: PolicyFacts): string | undefined =>
  fits(kinds, ask.options.kind) ? undefined : `it is for ${kinds.join(' or ')}`;

/** An empty list means all. */
const fits = (allowed: readonly string[], given: string): boolean => allowed.length === 0 || allowed.includes(given);
