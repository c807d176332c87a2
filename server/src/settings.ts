import type { RecordingRule } from './policies/policy-spec.js';

/** What the use cases need of the configuration. Durations in milliseconds. */
export interface Settings {
  readonly maxSessionMs: number;
  readonly decideWithinMs: number;
  readonly startWithinMs: number;
  readonly passwordRequired: boolean;
  readonly linkAccounts: 'by_name' | 'manual';
  /** What is recorded of sessions that operators give directly. Absent means nothing. */
  readonly grantRecording?: RecordingRule | undefined;
}
