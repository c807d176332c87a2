import { type ApprovalStep, type Policy, type PolicyAnswer, type PolicyCheck, PolicyEffect } from '@curfew/proto';
import { formatDuration, renderFields, renderTable, type Look } from '@curfew/shared/cli';
import { durationFromProto } from './proto-values.js';

const namesText = (users: readonly string[], groups: readonly string[], nobody: string): string => {
  const names = [...users, ...groups.map((group) => `group ${group}`)];
  return names.length === 0 ? nobody : names.join(', ');
};

function targetText({ spec }: Policy): string {
  const target = spec?.target;
  if (target === undefined) return 'every device';
  if (target.$case === 'resource')
    return target.value.names.length === 0 ? 'every resource' : target.value.names.join(', ');
  const { names, labels } = target.value;
  const parts = [...names, ...Object.entries(labels).map(([name, value]) => `${name}=${value}`)];
  return parts.length === 0 ? 'every device' : parts.join(', ');
}

const stepText = ({ users, groups, approvals }: ApprovalStep): string =>
  `${namesText(users, groups, 'any approver')}${approvals > 1 ? ` (${approvals})` : ''}`;

function decidersText({ spec }: Policy): string {
  if (spec?.effect === PolicyEffect.DENY) return '';
  const steps = spec?.steps ?? [];
  const people = steps.length === 0 ? 'any approver' : steps.map(stepText).join(', then ');
  return spec?.autoApproval === undefined ? people : `by itself, or ${people}`;
}

/** The policies as a table, in their order. */
export function policyTable(policies: readonly Policy[], look: Look): string {
  return renderTable<Policy>(
    [
      { title: '#', value: ({ position }) => String(position) },
      { title: 'NAME', value: ({ name }) => name },
      {
        title: 'EFFECT',
        value: ({ disabled, spec }) => (disabled ? 'disabled' : spec?.effect === PolicyEffect.DENY ? 'deny' : 'allow'),
        style: ({ disabled, spec }) => (disabled ? 'dim' : spec?.effect === PolicyEffect.DENY ? 'red' : 'green'),
      },
      {
        title: 'WHO',
        value: ({ spec }) => namesText(spec?.subject?.users ?? [], spec?.subject?.groups ?? [], 'everybody'),
      },
      { title: 'WHAT', value: targetText },
      {
        title: 'LONGEST',
        value: ({ spec }) =>
          spec?.maxDuration === undefined ? '' : formatDuration(durationFromProto(spec.maxDuration)),
      },
      { title: 'VERSION', value: ({ version }) => String(version) },
      { title: 'DECIDED BY', value: decidersText, flexible: true },
    ],
    policies,
    look,
  );
}

/** The answer to whether something would be allowed, with what each policy said. */
export function answerText(answer: PolicyAnswer, look: Look): string {
  const { allowed } = answer;
  const duration = (value: PolicyAnswer['maxDuration']): string =>
    !allowed || value === undefined ? '' : formatDuration(durationFromProto(value));
  const fields = renderFields(
    [
      ['allowed', allowed ? 'yes' : `no (${answer.code})`],
      ['why', answer.reason],
      ['policy', answer.policyName === '' ? '' : `${answer.policyName}, version ${answer.policyVersion}`],
      ['longest', duration(answer.maxDuration)],
      ['proposed', duration(answer.defaultDuration)],
      [
        'decided by',
        !allowed ? '' : answer.autoApproved ? 'the policy itself' : answer.steps.map(stepText).join(', then '),
      ],
      ['ticket', answer.ticketRequired ? 'needed' : ''],
      ['sign-in', answer.freshSignInRequired ? 'a fresh one is needed to start' : ''],
      ['break-glass', answer.breakGlass ? 'possible' : ''],
    ],
    look,
  );
  const checks = renderTable<PolicyCheck>(
    [
      { title: 'POLICY', value: ({ policyName }) => policyName },
      {
        title: 'MATCHES',
        value: ({ matches }) => (matches ? 'yes' : 'no'),
        style: ({ matches }) => (matches ? 'green' : 'dim'),
      },
      { title: 'WHY', value: ({ reason }) => reason, flexible: true },
    ],
    answer.checks,
    look,
  );
  return checks === '' ? fields : `${fields}\n${checks}`;
}
