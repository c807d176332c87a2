import type { DurationMs } from '@curfew/shared/cli';

export const TABS = ['device-admin', 'timed-access'] as const;
export const PLATFORMS = ['linux', 'darwin', 'windows'] as const;
type Tab = (typeof TABS)[number];

/** Which sessions a list or a watch shows. */
export interface SessionPick {
  readonly tab?: Tab;
  readonly all?: boolean;
  readonly user?: string;
  readonly device?: string;
  readonly resource?: string;
  readonly platform?: (typeof PLATFORMS)[number];
  readonly text?: string;
  readonly orderBy?: string;
}

/** What `sessions grant` was given. */
export interface GrantFlags {
  readonly user: string;
  readonly device?: string;
  readonly resource?: string;
  readonly account?: string;
  readonly for: DurationMs;
  readonly reason: string;
  readonly passwordRequired?: boolean;
  readonly command?: string[][];
  readonly runAs?: string;
  /** True stands for the device's administrators' group. */
  readonly group?: string | true;
  readonly wait?: boolean;
  readonly timeout: DurationMs;
}

/** What `sessions revoke` was given. */
export interface RevokeFlags {
  readonly user?: string;
  readonly device?: string;
  readonly resource?: string;
  readonly everything?: boolean;
  readonly reason: string;
  readonly wait?: boolean;
  readonly timeout: DurationMs;
}
