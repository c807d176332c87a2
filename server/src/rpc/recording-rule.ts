import { RecordingMode, type RecordingRule } from '@curfew/proto';
import type { RecordingMode as ModeRecord, RecordingRule as RuleRecord } from '../policies/policy-spec.js';
import { durationFromMs, msFromDuration } from './proto-values.js';

const MODES = {
  commands: RecordingMode.COMMANDS,
  output: RecordingMode.OUTPUT,
  input_and_output: RecordingMode.INPUT_AND_OUTPUT,
} as const;

/** Undefined means nothing. */
export const modeFromProto = (mode: RecordingMode): ModeRecord | undefined =>
  (Object.keys(MODES) as ModeRecord[]).find((one) => MODES[one] === mode);

export const modeToProto = (mode: ModeRecord | null): RecordingMode =>
  mode === null ? RecordingMode.UNSPECIFIED : MODES[mode];

export const recordingRuleToProto = (rule: RuleRecord | null): RecordingRule | undefined =>
  rule === null
    ? undefined
    : {
        mode: MODES[rule.mode],
        required: rule.required,
        keep: rule.keepMs === null ? undefined : durationFromMs(rule.keepMs),
      };

/** A rule that records nothing is none. */
export function recordingRuleFromProto(rule: RecordingRule | undefined): RuleRecord | null {
  const mode = modeFromProto(rule?.mode ?? RecordingMode.UNSPECIFIED);
  if (rule === undefined || mode === undefined) return null;
  return { mode, required: rule.required, keepMs: rule.keep === undefined ? null : msFromDuration(rule.keep) };
}
