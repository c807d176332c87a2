import { commandProblem, CurfewError, DAY, hasUnsafeText, HOUR, SECOND, type GrantOptions } from '@curfew/shared';
import { isDeepStrictEqual } from 'node:util';
import { conditionProblem } from './condition.js';
import { isTimeZone } from './hours-of-day.js';
import { patternProblem } from './pattern.js';
import type { PolicyDraft } from './policy-ledger.js';
import { OPEN_SPEC, type PolicySpec } from './policy-spec.js';

/** Ten years, as the schema has it. */
const LONGEST_KEPT_MS = 3650 * DAY;

interface Problem {
  readonly field: string;
  readonly problem: string;
}

/** Refuses policies that could not mean what they say. Errors: POLICY_INVALID, with the field's path. */
export function assertPolicies(drafts: readonly PolicyDraft[]): void {
  for (const [index, draft] of drafts.entries()) {
    const twice = drafts.findIndex(({ name }) => name === draft.name) < index;
    const found = twice
      ? { field: 'name', problem: `there is another '${draft.name}' before it` }
      : draftProblem(draft);
    if (found !== undefined)
      throw new CurfewError('POLICY_INVALID', { field: `policies.${index}.${found.field}`, problem: found.problem });
  }
}

const draftProblem = (draft: PolicyDraft): Problem | undefined =>
  (hasUnsafeText(draft.description) ? unsafe('description') : undefined) ??
  namesProblem(draft.spec) ??
  denyProblem(draft.spec) ??
  durationProblem(draft.spec) ??
  textProblem('condition', conditionProblem(draft.spec.condition)) ??
  textProblem('reason_pattern', patternProblem(draft.spec.reasonPattern)) ??
  textProblem('ticket_pattern', patternProblem(draft.spec.ticketPattern)) ??
  stepsProblem(draft.spec) ??
  hoursProblem(draft.spec) ??
  recordingProblem(draft.spec) ??
  optionsProblem(draft.spec);

const textProblem = (field: string, problem: string | undefined): Problem | undefined =>
  problem === undefined ? undefined : { field, problem };

const unsafe = (field: string): Problem => ({ field, problem: 'must not hold control or invisible characters' });

function namesProblem({ subject, target, steps }: PolicySpec): Problem | undefined {
  const lists: [string, readonly string[]][] = [
    ['subject.users', subject.users],
    ['subject.groups', subject.groups],
    ...steps.flatMap(({ users, groups }, index): [string, readonly string[]][] => [
      [`steps.${index}.users`, users],
      [`steps.${index}.groups`, groups],
    ]),
    [`${target.kind}.names`, target.names],
    ['device.accounts', target.kind === 'device' ? target.accounts : []],
  ];
  for (const [field, names] of lists) {
    const at = names.findIndex((name) => hasUnsafeText(name) || name.trim() === '');
    if (at >= 0) return { field: `${field}.${at}`, problem: 'must be a name without control or invisible characters' };
  }
  return undefined;
}

/** Terms of what is denied would only seem to say something. */
function denyProblem(spec: PolicySpec): Problem | undefined {
  if (spec.effect === 'allow') return undefined;
  const { subject, target, condition } = spec;
  return isDeepStrictEqual(spec, { ...OPEN_SPEC, effect: 'deny', subject, target, condition })
    ? undefined
    : {
        field: 'effect',
        problem: 'a policy that denies has no terms: leave out all but subject, target and condition',
      };
}

function durationProblem({ maxDurationMs, defaultDurationMs, autoApproval, offlineEndAfterMs }: PolicySpec) {
  const longer = (field: string, ms: number | null): Problem | undefined =>
    ms !== null && maxDurationMs !== null && ms > maxDurationMs
      ? { field, problem: 'is longer than max_duration' }
      : undefined;
  const tooShort =
    offlineEndAfterMs !== null && offlineEndAfterMs < 60_000
      ? { field: 'offline.end_after', problem: 'must be at least 1m: links come and go' }
      : undefined;
  const fraction = [maxDurationMs, defaultDurationMs, autoApproval?.maxDurationMs ?? null, offlineEndAfterMs].some(
    (ms) => ms !== null && ms % 1000 !== 0,
  );
  if (fraction) return { field: 'max_duration', problem: 'durations are whole seconds' };
  return (
    longer('default_duration', defaultDurationMs) ??
    longer('auto_approval.max_duration', autoApproval?.maxDurationMs ?? null) ??
    tooShort
  );
}

/** A step that names fewer people than it needs could never be done. */
function stepsProblem({ steps }: PolicySpec): Problem | undefined {
  const at = steps.findIndex(
    ({ users, groups, approvals }) =>
      users.length > 0 && groups.length === 0 && new Set(users.map((name) => name.toLowerCase())).size < approvals,
  );
  if (at < 0) return undefined;
  return { field: `steps.${at}.approvals`, problem: 'is more than the people whom the step names' };
}

function hoursProblem({ autoApproval }: PolicySpec): Problem | undefined {
  const at = autoApproval?.hours.findIndex(({ timeZone }) => !isTimeZone(timeZone)) ?? -1;
  return at < 0
    ? undefined
    : { field: `auto_approval.hours.${at}.time_zone`, problem: "is not a known time zone, such as 'Europe/Vienna'" };
}

/** A rule that could never record anything would only seem to say something. */
function recordingProblem({ recording, target }: PolicySpec): Problem | undefined {
  if (recording === null) return undefined;
  if (target.kind === 'resource' || target.options?.kind === 'group_membership')
    return { field: 'recording', problem: 'is for sudo rules only' };
  const { keepMs } = recording;
  if (keepMs === null || (keepMs >= HOUR && keepMs <= LONGEST_KEPT_MS && keepMs % SECOND === 0)) return undefined;
  return { field: 'recording.keep', problem: 'must be from 1h to 3650d, in whole seconds' };
}

function optionsProblem({ target }: PolicySpec): Problem | undefined {
  if (target.kind !== 'device' || target.options === null) return undefined;
  const found = grantProblem(target.options);
  return found === undefined ? undefined : { field: `device.options.${found.field}`, problem: found.problem };
}

const LOCAL_NAME = /^([a-z_][a-z0-9_-]{0,31})?$/;

function grantProblem({ kind, commands, runAs, group, passwordRequired }: GrantOptions): Problem | undefined {
  for (const [field, name] of [
    ['run_as', runAs],
    ['group', group],
  ] as const)
    if (!LOCAL_NAME.test(name)) return { field, problem: 'must be the name of a local account or group' };
  if (kind === 'group_membership')
    return commands.length > 0 || runAs !== '' || passwordRequired
      ? { field: 'kind', problem: 'a group membership has no commands, run_as or password_required' }
      : undefined;
  if (group !== '') return { field: 'group', problem: 'is for group_membership only' };
  for (const [index, argv] of commands.entries()) {
    const wrong = commandProblem(argv);
    if (wrong !== undefined) return { field: `commands.${index}.${wrong.at}`, problem: wrong.problem };
  }
  return undefined;
}
