import type { ContractCase } from './contract-case.js';

const ALLOW = {
  name: 'production',
  description: 'Two hours, with a ticket.',
  spec: {
    effect: 'POLICY_EFFECT_ALLOW',
    device: { names: ['web-1'] },
    maxDuration: '7200s',
    defaultDuration: '1800s',
    ticketPattern: 'OPS-[0-9]+',
    breakGlass: true,
  },
};

/** Policies. */
export const POLICY_CASES: readonly ContractCase[] = [
  {
    name: 'a dry run',
    as: 'alice',
    method: 'PolicyService/ApplyPolicies',
    request: { policies: [ALLOW], prune: true, dryRun: true },
    has: ['changes.0.action', 'changes.0.after'],
  },
  {
    name: 'applying',
    as: 'alice',
    method: 'PolicyService/ApplyPolicies',
    request: { policies: [ALLOW], prune: true },
    has: ['changes.0.name'],
  },
  {
    name: 'applying by a viewer',
    as: 'erin',
    method: 'PolicyService/ApplyPolicies',
    request: { policies: [] },
    refused: 'METHOD_NOT_ALLOWED',
  },
  {
    name: 'a policy without a name',
    as: 'alice',
    method: 'PolicyService/ApplyPolicies',
    request: { policies: [{ ...ALLOW, name: 'a b' }] },
    refused: 'FIELD_INVALID',
  },
  {
    name: 'a policy that was changed since',
    as: 'alice',
    method: 'PolicyService/ApplyPolicies',
    request: { policies: [{ ...ALLOW, baseVersion: '7' }], dryRun: true },
    refused: 'POLICY_CHANGED',
  },
  {
    name: 'policies',
    as: 'erin',
    method: 'PolicyService/ListPolicies',
    has: ['policies.0.name', 'policies.0.version', 'policies.0.position', 'text'],
  },
  {
    name: 'a policy',
    as: 'erin',
    method: 'PolicyService/GetPolicy',
    request: { policy: 'production' },
    has: ['policy.spec.maxDuration', 'versions.0.version'],
  },
  {
    name: 'no policy',
    as: 'erin',
    method: 'PolicyService/GetPolicy',
    request: { policy: 'none' },
    refused: 'POLICY_NOT_FOUND',
  },
  {
    name: 'why',
    as: 'erin',
    method: 'PolicyService/ExplainAccess',
    request: { user: 'carol', device: 'web-1', duration: '600s' },
    has: ['answer.allowed', 'answer.checks.0.policyName', 'answer.maxDuration'],
  },
  {
    name: 'why for nobody',
    as: 'erin',
    method: 'PolicyService/ExplainAccess',
    request: { user: 'nobody', device: 'web-1' },
    refused: 'USER_NOT_FOUND',
  },
];
