import type { DurationMs } from '@curfew/shared/cli';

/** What becomes of running sessions that a lowered limit would not allow for so long. */
export const LOWERED = ['keep', 'shorten'] as const;

/** What `policies apply` was given. */
export interface ApplyFlags {
  readonly file: string;
  readonly prune?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly running?: (typeof LOWERED)[number];
}

/** What `policies explain` was given. */
export interface ExplainFlags {
  readonly user: string;
  readonly device: string;
  readonly account?: string;
  readonly for?: DurationMs;
  readonly reason?: string;
  readonly ticket?: string;
  readonly group?: string | true;
}
