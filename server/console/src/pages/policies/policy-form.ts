import type { PolicyInputJson, PolicyJson } from '../../gen/api.js';
import { PLATFORMS } from '../../model/platform.js';
import { RECORDING_MODES } from '../../model/recording.js';
import {
  command,
  count,
  duration,
  flag,
  isValues,
  labels,
  list,
  object,
  readFields,
  text,
  word,
  wordOrNone,
  writeFields,
  type Fields,
  type FormProblem,
} from './policy-shape.js';

const GRANT_KINDS = ['sudo_rule', 'group_membership'] as const;

const PEOPLE: Fields = [
  ['users', 'users', list(text)],
  ['groups', 'groups', list(text)],
];

const DEVICE: Fields = [
  ['names', 'names', list(text)],
  ['labels', 'labels', labels],
  ['platforms', 'platforms', list(word('PLATFORM_', PLATFORMS))],
  ['accounts', 'accounts', list(text)],
  ['kinds', 'kinds', list(word('GRANT_KIND_', GRANT_KINDS))],
  [
    'options',
    'options',
    object([
      ['kind', 'kind', word('GRANT_KIND_', GRANT_KINDS)],
      ['password_required', 'passwordRequired', flag],
      ['commands', 'commands', list(command)],
      ['run_as', 'runAs', text],
      ['group', 'group', text],
    ]),
  ],
];

/** What a policy says, in the order in which a file has it. */
const SPEC: Fields = [
  ['effect', 'effect', word('POLICY_EFFECT_', ['allow', 'deny'])],
  ['subject', 'subject', object(PEOPLE)],
  ['device', 'device', object(DEVICE)],
  ['resource', 'resource', object([['names', 'names', list(text)]], true)],
  ['condition', 'condition', text],
  ['max_duration', 'maxDuration', duration],
  ['default_duration', 'defaultDuration', duration],
  ['start_within', 'startWithin', duration],
  ['reason_pattern', 'reasonPattern', text],
  ['ticket_pattern', 'ticketPattern', text],
  ['steps', 'steps', list(object([...PEOPLE, ['approvals', 'approvals', count(1)]], true))],
  [
    'auto_approval',
    'autoApproval',
    object(
      [
        ['max_duration', 'maxDuration', duration],
        [
          'hours',
          'hours',
          list(
            object([
              ['days', 'days', list(count(1))],
              ['from', 'from', text],
              ['to', 'to', text],
              ['time_zone', 'timeZone', text],
            ]),
          ),
        ],
      ],
      true,
    ),
  ],
  [
    'budget',
    'budget',
    object([
      ['sessions_per_day', 'sessionsPerDay', count(0)],
      ['sessions_per_week', 'sessionsPerWeek', count(0)],
      ['minutes_per_day', 'minutesPerDay', count(0)],
      ['minutes_per_week', 'minutesPerWeek', count(0)],
      ['cool_down', 'coolDown', duration],
      ['one_at_a_time', 'oneAtATime', flag],
    ]),
  ],
  ['offline', 'offline', object([['end_after', 'endAfter', duration]])],
  ['break_glass', 'breakGlass', flag],
  ['self_approval', 'selfApproval', flag],
  ['fresh_sign_in', 'freshSignIn', duration],
  ['no_extension', 'noExtension', flag],
  ['keep_processes', 'keepProcesses', flag],
  [
    'recording',
    'recording',
    object([
      ['mode', 'mode', wordOrNone('RECORDING_MODE_', RECORDING_MODES, 'off')],
      ['required', 'required', flag],
      ['keep', 'keep', duration],
    ]),
  ],
  ['undo_changes', 'undoChanges', flag],
  ['desktop', 'desktop', flag],
];

const HEAD: Fields = [
  ['name', 'name', text],
  ['description', 'description', text],
  ['disabled', 'disabled', flag],
];

/** People of a policy. */
interface PeopleForm {
  readonly users?: readonly string[];
  readonly groups?: readonly string[];
}

/** Hours of the week in which something is approved by itself. */
export interface HoursForm {
  readonly days?: readonly number[];
  readonly from: string;
  readonly to: string;
  readonly time_zone?: string;
}

/**
 * A policy as it stands in a file, and in the form of the page: what is not set is left out, durations are '30m'. While
 * it is being edited it may hold what is not right; read it with policyFromForm.
 */
export interface PolicyForm {
  readonly name: string;
  readonly description?: string;
  readonly disabled?: boolean;
  readonly effect?: string;
  readonly subject?: PeopleForm;
  readonly device?: {
    readonly names?: readonly string[];
    readonly labels?: Readonly<Record<string, string>>;
    readonly platforms?: readonly string[];
    readonly accounts?: readonly string[];
    readonly kinds?: readonly string[];
    readonly options?: object;
  };
  readonly resource?: { readonly names?: readonly string[] };
  readonly condition?: string;
  readonly max_duration?: string;
  readonly default_duration?: string;
  readonly start_within?: string;
  readonly reason_pattern?: string;
  readonly ticket_pattern?: string;
  readonly steps?: readonly (PeopleForm & { readonly approvals?: number })[];
  readonly auto_approval?: { readonly max_duration?: string; readonly hours?: readonly HoursForm[] };
  readonly budget?: {
    readonly sessions_per_day?: number;
    readonly sessions_per_week?: number;
    readonly minutes_per_day?: number;
    readonly minutes_per_week?: number;
    readonly cool_down?: string;
    readonly one_at_a_time?: boolean;
  };
  readonly offline?: { readonly end_after?: string };
  readonly break_glass?: boolean;
  readonly self_approval?: boolean;
  readonly fresh_sign_in?: string;
  readonly no_extension?: boolean;
  readonly keep_processes?: boolean;
  readonly recording?: { readonly mode?: string; readonly required?: boolean; readonly keep?: string };
  readonly undo_changes?: boolean;
  readonly desktop?: boolean;
}

/** A policy of the API as it stands in a file. */
export function formFromPolicy(policy: Pick<PolicyJson, 'name' | 'description' | 'disabled' | 'spec'>): PolicyForm {
  const form = { ...writeFields(HEAD, policy), ...writeFields(SPEC, policy.spec) };
  return { name: '', ...form };
}

const isName = (name: unknown): boolean => typeof name === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name);

/** A policy of a file as the API takes it, or everything that is wrong with it. */
export function policyFromForm(
  form: unknown,
  path = '',
): { readonly policy: PolicyInputJson; readonly problems?: undefined } | { readonly problems: readonly FormProblem[] } {
  const problems: FormProblem[] = [];
  const values = readFields([...HEAD, ...SPEC], form, path, problems);
  const inside = (name: string): string => (path === '' ? name : `${path}.${name}`);
  if (values !== undefined && isValues(form)) {
    if (!isName(values['name']))
      problems.push({
        path: inside('name'),
        problem: 'must be 1 to 64 letters, digits, dots, underscores and hyphens',
      });
    if (values['effect'] === undefined && !problems.some((one) => one.path === inside('effect')))
      problems.push({ path: inside('effect'), problem: 'must be allow or deny' });
    if (values['device'] !== undefined && values['resource'] !== undefined)
      problems.push({ path: inside('resource'), problem: 'a policy is for devices or for resources' });
  }
  if (values === undefined || problems.length > 0) return { problems };
  const { name, description, disabled, ...spec } = values;
  return {
    policy: {
      name: name as string,
      description: (description as string | undefined) ?? '',
      disabled: (disabled as boolean | undefined) ?? false,
      spec: spec,
    },
  };
}

/** A file of policies as the API takes it, or everything that is wrong with it. */
export function policiesFromFile(
  file: unknown,
):
  | { readonly policies: readonly PolicyInputJson[]; readonly problems?: undefined }
  | { readonly problems: readonly FormProblem[] } {
  const given = isValues(file) ? file['policies'] : undefined;
  if (!Array.isArray(given)) return { problems: [{ path: '', problem: 'must hold a list named policies' }] };
  const read = given.map((form, index) => policyFromForm(form, `policies.${index}`));
  const problems = read.flatMap((one) => one.problems ?? []);
  return problems.length > 0
    ? { problems }
    : { policies: read.flatMap((one) => (one.problems === undefined ? [one.policy] : [])) };
}
