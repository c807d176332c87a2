import {
  GrantKind,
  PolicyAnswer,
  PolicyEffect,
  PolicySpec,
  Platform,
  Policy,
  type ApprovalStep,
  type Duration,
  type PolicyInput,
} from '@curfew/proto';
import { CurfewError, type GrantOptions } from '@curfew/shared';
import type { PolicyAnswer as AnswerRecord } from '../policies/decide.js';
import type { WantedPolicy } from '../policies/plan-changes.js';
import {
  ANY_DEVICE,
  type ApprovalStep as StepRecord,
  type Policy as PolicyRecord,
  type PolicySpec as SpecRecord,
} from '../policies/policy-spec.js';
import type { Role as RoleRecord } from '../users/role.js';
import { dateFromMs, durationFromMs, msFromDuration } from './proto-values.js';
import { recordingRuleFromProto, recordingRuleToProto } from './recording-rule.js';
import { optionsToProto, platformToProto, roleToProto } from './records-to-proto.js';

const durationOrUnset = (ms: number | null): Duration | undefined => (ms === null ? undefined : durationFromMs(ms));
const msOrNull = (duration: Duration | undefined): number | null =>
  duration === undefined ? null : msFromDuration(duration);

export function policyToProto(policy: PolicyRecord): Policy {
  return Policy.fromPartial({
    id: policy.id,
    name: policy.name,
    description: policy.description,
    position: policy.position,
    disabled: policy.disabled,
    version: BigInt(policy.version),
    spec: specToProto(policy.spec),
    updateTime: policy.updatedAtMs === 0 ? undefined : dateFromMs(policy.updatedAtMs),
    updatedBy: policy.updatedBy,
  });
}

export function specToProto(spec: SpecRecord): PolicySpec {
  const { autoApproval, budget } = spec;
  return PolicySpec.fromPartial({
    effect: spec.effect === 'allow' ? PolicyEffect.ALLOW : PolicyEffect.DENY,
    subject: { users: [...spec.subject.users], groups: [...spec.subject.groups] },
    target: targetToProto(spec.target),
    condition: spec.condition,
    maxDuration: durationOrUnset(spec.maxDurationMs),
    defaultDuration: durationOrUnset(spec.defaultDurationMs),
    startWithin: durationOrUnset(spec.startWithinMs),
    reasonPattern: spec.reasonPattern,
    ticketPattern: spec.ticketPattern,
    steps: spec.steps.map(stepToProto),
    autoApproval:
      autoApproval === null
        ? undefined
        : {
            maxDuration: durationOrUnset(autoApproval.maxDurationMs),
            hours: autoApproval.hours.map((part) => ({ ...part, days: [...part.days] })),
          },
    budget:
      budget === null
        ? undefined
        : { ...budget, coolDown: budget.coolDownMs === 0 ? undefined : durationFromMs(budget.coolDownMs) },
    offline: spec.offlineEndAfterMs === null ? undefined : { endAfter: durationFromMs(spec.offlineEndAfterMs) },
    breakGlass: spec.breakGlass,
    selfApproval: spec.selfApproval,
    freshSignIn: durationOrUnset(spec.freshSignInMs),
    noExtension: spec.noExtension,
    keepProcesses: spec.keepProcesses,
    recording: recordingRuleToProto(spec.recording),
    undoChanges: spec.undoChanges,
    desktop: spec.desktop,
  });
}

const stepToProto = (step: StepRecord): ApprovalStep => ({
  users: [...step.users],
  groups: [...step.groups],
  approvals: step.approvals,
});

function targetToProto(target: SpecRecord['target']) {
  if (target.kind === 'resource') return { $case: 'resource' as const, value: { names: [...target.names] } };
  const { names, labels, platforms, accounts, kinds, options } = target;
  const value = {
    names: [...names],
    labels: { ...labels },
    platforms: platforms.map(platformToProto),
    accounts: [...accounts],
    kinds: kinds.map((kind) => (kind === 'group_membership' ? GrantKind.GROUP_MEMBERSHIP : GrantKind.SUDO_RULE)),
    options: options === null ? undefined : optionsToProto(options),
  };
  return { $case: 'device' as const, value };
}

/** Errors: FIELD_INVALID. */
export function wantedFromProto(input: PolicyInput, index: number): WantedPolicy {
  if (input.spec === undefined)
    throw new CurfewError('FIELD_INVALID', { field: `policies.${index}.spec`, problem: 'is required' });
  return {
    name: input.name,
    description: input.description,
    disabled: input.disabled,
    spec: specFromProto(input.spec),
    baseVersion: Number(input.baseVersion),
  };
}

function specFromProto(spec: PolicySpec): SpecRecord {
  const { autoApproval, budget, subject } = spec;
  return {
    effect: spec.effect === PolicyEffect.DENY ? 'deny' : 'allow',
    subject: { users: subject?.users ?? [], groups: subject?.groups ?? [] },
    target: targetFromProto(spec.target),
    condition: spec.condition,
    maxDurationMs: msOrNull(spec.maxDuration),
    defaultDurationMs: msOrNull(spec.defaultDuration),
    startWithinMs: msOrNull(spec.startWithin),
    reasonPattern: spec.reasonPattern,
    ticketPattern: spec.ticketPattern,
    steps: spec.steps.map(({ users, groups, approvals }) => ({ users, groups, approvals: Math.max(1, approvals) })),
    autoApproval:
      autoApproval === undefined
        ? null
        : { maxDurationMs: msOrNull(autoApproval.maxDuration), hours: autoApproval.hours },
    budget:
      budget === undefined
        ? null
        : {
            sessionsPerDay: budget.sessionsPerDay,
            sessionsPerWeek: budget.sessionsPerWeek,
            minutesPerDay: budget.minutesPerDay,
            minutesPerWeek: budget.minutesPerWeek,
            coolDownMs: msOrNull(budget.coolDown) ?? 0,
            oneAtATime: budget.oneAtATime,
          },
    offlineEndAfterMs: msOrNull(spec.offline?.endAfter),
    breakGlass: spec.breakGlass,
    selfApproval: spec.selfApproval,
    freshSignInMs: msOrNull(spec.freshSignIn),
    noExtension: spec.noExtension,
    keepProcesses: spec.keepProcesses,
    recording: recordingRuleFromProto(spec.recording),
    undoChanges: spec.undoChanges,
    desktop: spec.desktop,
  };
}

function targetFromProto(target: PolicySpec['target']): SpecRecord['target'] {
  if (target === undefined) return ANY_DEVICE;
  if (target.$case === 'resource') return { kind: 'resource', names: target.value.names };
  const { names, labels, platforms, accounts, kinds, options } = target.value;
  return {
    kind: 'device',
    names,
    labels: { ...labels },
    platforms: platforms.map((platform) => Platform[platform].toLowerCase()),
    accounts,
    kinds: kinds.map(kindFromProto),
    options:
      options === undefined
        ? null
        : {
            kind: kindFromProto(options.kind),
            passwordRequired: options.passwordRequired,
            commands: options.commands.map(({ argv }) => argv),
            runAs: options.runAs,
            group: options.group,
          },
  };
}

const kindFromProto = (kind: GrantKind): GrantOptions['kind'] =>
  kind === GrantKind.GROUP_MEMBERSHIP ? 'group_membership' : 'sudo_rule';

export function answerToProto(answer: AnswerRecord, role: RoleRecord): PolicyAnswer {
  const { policy, refusal } = answer;
  const spec = policy?.spec.effect === 'allow' ? policy.spec : undefined;
  return PolicyAnswer.fromPartial({
    allowed: refusal === undefined,
    policyName: policy?.name ?? '',
    policyVersion: BigInt(policy?.version ?? 0),
    code: refusal?.code ?? '',
    reason: answer.reason,
    checks: answer.checks.map((check) => ({ ...check })),
    maxDuration: answer.maxDurationMs === 0 ? undefined : durationFromMs(answer.maxDurationMs),
    defaultDuration: answer.maxDurationMs === 0 ? undefined : durationFromMs(answer.defaultDurationMs),
    autoApproved: answer.autoApproved,
    steps: answer.steps.map(stepToProto),
    breakGlass: spec?.breakGlass ?? false,
    ticketRequired: (spec?.ticketPattern ?? '') !== '',
    freshSignInRequired: spec !== undefined && spec.freshSignInMs !== null,
    role: roleToProto(role),
  });
}
