import { CurfewError, formatDuration, GRANT_KINDS, parseDuration } from '@curfew/shared';
import { LineCounter, parseDocument, stringify } from 'yaml';
import { z } from 'zod';
import type { PolicyDraft } from './policy-ledger.js';
import {
  ANY_DEVICE,
  OPEN_SPEC,
  RECORDING_MODES,
  type Budget,
  type DeviceTarget,
  type PolicySpec,
  type RecordingRule,
} from './policy-spec.js';

/** The platforms, as people write them. */
const PLATFORMS = ['linux', 'darwin', 'windows'] as const;

const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  context.issues.push({ code: 'custom', input: text, message: "is no duration, such as '30m' or '1h30m'" });
  return z.NEVER;
});
const names = z.array(z.string().min(1).max(256)).max(1000);
const label = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,63}$/, 'must be 1 to 63 letters, digits, dots, underscores and hyphens');
const subject = z.strictObject({ users: names.optional(), groups: names.optional() });
const time = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, "must be a time such as '08:30'");
const limit = z.int().nonnegative().max(1_000_000);

const optionsForm = z.strictObject({
  kind: z.enum(GRANT_KINDS).optional(),
  password_required: z.boolean().optional(),
  commands: z.array(z.array(z.string()).min(1).max(64)).max(32).optional(),
  run_as: z.string().optional(),
  group: z.string().optional(),
});

/** One policy as it stands in a file: what is left out is not set. */
const policyForm = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 letters, digits, dots, underscores and hyphens'),
  description: z.string().max(500).optional(),
  disabled: z.boolean().optional(),
  effect: z.enum(['allow', 'deny']),
  subject: subject.optional(),
  device: z
    .strictObject({
      names: names.optional(),
      labels: z.record(label, label).optional(),
      platforms: z.array(z.enum(PLATFORMS)).optional(),
      accounts: names.optional(),
      kinds: z.array(z.enum(GRANT_KINDS)).optional(),
      options: optionsForm.optional(),
    })
    .optional(),
  resource: z.strictObject({ names: names.optional() }).optional(),
  condition: z.string().max(4000).optional(),
  max_duration: duration.optional(),
  default_duration: duration.optional(),
  start_within: duration.optional(),
  reason_pattern: z.string().max(500).optional(),
  ticket_pattern: z.string().max(500).optional(),
  steps: z
    .array(subject.extend({ approvals: z.int().min(1).max(20).optional() }))
    .max(10)
    .optional(),
  auto_approval: z
    .strictObject({
      max_duration: duration.optional(),
      hours: z
        .array(
          z.strictObject({
            days: z.array(z.int().min(1).max(7)).max(7).optional(),
            from: time,
            to: time,
            time_zone: z.string().max(64).optional(),
          }),
        )
        .max(20)
        .optional(),
    })
    .optional(),
  budget: z
    .strictObject({
      sessions_per_day: limit.optional(),
      sessions_per_week: limit.optional(),
      minutes_per_day: limit.optional(),
      minutes_per_week: limit.optional(),
      cool_down: duration.optional(),
      one_at_a_time: z.boolean().optional(),
    })
    .optional(),
  offline: z.strictObject({ end_after: duration.optional() }).optional(),
  break_glass: z.boolean().optional(),
  self_approval: z.boolean().optional(),
  fresh_sign_in: duration.optional(),
  no_extension: z.boolean().optional(),
  keep_processes: z.boolean().optional(),
  recording: z
    .strictObject({
      mode: z.enum(['off', ...RECORDING_MODES]),
      required: z.boolean().optional(),
      keep: duration.optional(),
    })
    .optional(),
  undo_changes: z.boolean().optional(),
  desktop: z.boolean().optional(),
});

type PolicyForm = z.infer<typeof policyForm>;

const fileForm = z.strictObject({ policies: z.array(policyForm).max(500) });

/** Reads a file of policies. Errors: POLICY_INVALID, with the line or the field's path; unknown keys are errors. */
export function policiesFromYaml(text: string): PolicyDraft[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, logLevel: 'error' });
  const [broken] = document.errors;
  if (broken !== undefined) {
    const { line, col } = lines.linePos(broken.pos[0]);
    const problem = broken.message.replace(/ at line \d+, column \d+:[^]*$/, '');
    throw new CurfewError('POLICY_INVALID', { field: `line ${line}, column ${col}`, problem });
  }
  const parsed = fileForm.safeParse(plainOf(document));
  if (parsed.success) return parsed.data.policies.map(draftFromForm);
  const { issues } = parsed.error;
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  const path = (issue?.path ?? []).map(String);
  if (issue?.code === 'unrecognized_keys') {
    const problem = 'there is no such key; see docs/policies.md';
    throw new CurfewError('POLICY_INVALID', { field: [...path, issue.keys[0] ?? ''].join('.'), problem });
  }
  throw new CurfewError('POLICY_INVALID', {
    field: path.length === 0 ? 'the file' : path.join('.'),
    problem: issue?.message ?? 'is not right',
  });
}

/** Errors: POLICY_INVALID for aliases that blow up. */
function plainOf(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (cause) {
    throw new CurfewError('POLICY_INVALID', { field: 'the file', problem: 'has too many aliases' }, { cause });
  }
}

/** Writes one policy as it stands in a file, without what is not set. */
export const policyToYaml = (draft: PolicyDraft): string => stringify(formFromDraft(draft), { lineWidth: 0 });

/** Writes a whole file. */
export const policiesToYaml = (drafts: readonly PolicyDraft[]): string =>
  stringify({ policies: drafts.map(formFromDraft) }, { lineWidth: 0 });

function draftFromForm(form: PolicyForm): PolicyDraft {
  const { subject: who, auto_approval: auto, steps = [] } = form;
  return {
    name: form.name,
    description: form.description ?? '',
    disabled: form.disabled ?? false,
    spec: {
      ...OPEN_SPEC,
      effect: form.effect,
      subject: { users: who?.users ?? [], groups: who?.groups ?? [] },
      target: targetFromForm(form),
      condition: form.condition ?? '',
      maxDurationMs: form.max_duration ?? null,
      defaultDurationMs: form.default_duration ?? null,
      startWithinMs: form.start_within ?? null,
      reasonPattern: form.reason_pattern ?? '',
      ticketPattern: form.ticket_pattern ?? '',
      steps: steps.map(({ users = [], groups = [], approvals = 1 }) => ({ users, groups, approvals })),
      autoApproval:
        auto === undefined
          ? null
          : {
              maxDurationMs: auto.max_duration ?? null,
              hours: (auto.hours ?? []).map(({ days = [], from, to, time_zone = '' }) => ({
                days,
                from,
                to,
                timeZone: time_zone,
              })),
            },
      budget: form.budget === undefined ? null : budgetFromForm(form.budget),
      offlineEndAfterMs: form.offline?.end_after ?? null,
      breakGlass: form.break_glass ?? false,
      selfApproval: form.self_approval ?? false,
      freshSignInMs: form.fresh_sign_in ?? null,
      noExtension: form.no_extension ?? false,
      keepProcesses: form.keep_processes ?? false,
      recording: recordingFromForm(form.recording),
      undoChanges: form.undo_changes ?? false,
      desktop: form.desktop ?? false,
    },
  };
}

function targetFromForm({ device, resource }: PolicyForm): PolicySpec['target'] {
  if (device !== undefined && resource !== undefined)
    throw new CurfewError('POLICY_INVALID', { field: 'resource', problem: 'a policy is for devices or for resources' });
  if (resource !== undefined) return { kind: 'resource', names: resource.names ?? [] };
  if (device === undefined) return ANY_DEVICE;
  const { names: devices, labels, platforms, accounts, kinds, options } = device;
  return {
    kind: 'device',
    names: devices ?? [],
    labels: labels ?? {},
    platforms: platforms ?? [],
    accounts: accounts ?? [],
    kinds: kinds ?? [],
    options:
      options === undefined
        ? null
        : {
            kind: options.kind ?? 'sudo_rule',
            passwordRequired: options.password_required ?? false,
            commands: options.commands ?? [],
            runAs: options.run_as ?? '',
            group: options.group ?? '',
          },
  };
}

const budgetFromForm = (form: NonNullable<PolicyForm['budget']>): Budget => ({
  sessionsPerDay: form.sessions_per_day ?? 0,
  sessionsPerWeek: form.sessions_per_week ?? 0,
  minutesPerDay: form.minutes_per_day ?? 0,
  minutesPerWeek: form.minutes_per_week ?? 0,
  coolDownMs: form.cool_down ?? 0,
  oneAtATime: form.one_at_a_time ?? false,
});

function recordingFromForm(form: PolicyForm['recording']): RecordingRule | null {
  if (form === undefined || form.mode === 'off') return null;
  return { mode: form.mode, required: form.required ?? false, keepMs: form.keep ?? null };
}

type Values = Readonly<Record<string, unknown>>;

/** Leaves out what is not set: null, '', false, 0, and lists and objects with nothing in them. */
function present(values: Values): Values {
  const isSet = (value: unknown): boolean =>
    value !== null &&
    value !== undefined &&
    value !== '' &&
    value !== false &&
    value !== 0 &&
    !(typeof value === 'object' && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(values).filter(([, value]) => isSet(value)));
}

/** A duration that reads back as it was, also where words for people would leave seconds out. */
function text(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || ms === 0) return '';
  const words = formatDuration(ms);
  return parseDuration(words) === ms ? words : `${Math.floor(ms / 1000)}s`;
}

function formFromDraft({ name, description, disabled, spec }: PolicyDraft): Values {
  const { target, autoApproval: auto, budget } = spec;
  return {
    name,
    ...present({
      description,
      disabled,
      effect: spec.effect,
      subject: present({ ...spec.subject }),
      device: target.kind === 'device' ? deviceForm(target) : undefined,
    }),
    // Without a name it is for every resource, which leaving it out would not say.
    ...(target.kind === 'resource' ? { resource: present({ names: target.names }) } : {}),
    ...present({
      condition: spec.condition,
      max_duration: text(spec.maxDurationMs),
      default_duration: text(spec.defaultDurationMs),
      start_within: text(spec.startWithinMs),
      reason_pattern: spec.reasonPattern,
      ticket_pattern: spec.ticketPattern,
      steps: spec.steps.map((step) => present({ ...step })),
    }),
    ...(auto === null
      ? {}
      : {
          auto_approval: present({
            max_duration: text(auto.maxDurationMs),
            hours: auto.hours.map(({ timeZone, ...part }) => present({ ...part, time_zone: timeZone })),
          }),
        }),
    ...present({
      budget: present({
        sessions_per_day: budget?.sessionsPerDay,
        sessions_per_week: budget?.sessionsPerWeek,
        minutes_per_day: budget?.minutesPerDay,
        minutes_per_week: budget?.minutesPerWeek,
        cool_down: text(budget?.coolDownMs),
        one_at_a_time: budget?.oneAtATime,
      }),
      offline: present({ end_after: text(spec.offlineEndAfterMs) }),
      break_glass: spec.breakGlass,
      self_approval: spec.selfApproval,
      fresh_sign_in: text(spec.freshSignInMs),
      no_extension: spec.noExtension,
      keep_processes: spec.keepProcesses,
      recording: present({
        mode: spec.recording?.mode,
        required: spec.recording?.required,
        keep: text(spec.recording?.keepMs),
      }),
      undo_changes: spec.undoChanges,
      desktop: spec.desktop,
    }),
  };
}

function deviceForm({ options, kind: _, ...rest }: DeviceTarget): Values {
  if (options === null) return present(rest);
  const { kind, passwordRequired, commands, runAs, group } = options;
  const own = { kind, ...present({ password_required: passwordRequired, commands, run_as: runAs, group }) };
  return { ...present(rest), options: own };
}
