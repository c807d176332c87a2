import type { DurationMs } from '@curfew/shared/cli';

/** What `request` was given. */
export interface RequestFlags {
  readonly for: DurationMs;
  readonly reason: string;
  readonly command?: string[][];
  readonly runAs?: string;
  /** True stands for the device's administrators' group. */
  readonly group?: string | true;
  readonly ticket?: string;
  readonly breakGlass?: boolean;
  readonly wait?: boolean;
  readonly timeout?: DurationMs;
}

/** What `resources request` was given. */
export interface ResourceRequestFlags extends Pick<
  RequestFlags,
  'reason' | 'ticket' | 'breakGlass' | 'wait' | 'timeout'
> {
  /** Undefined stands for what the policy proposes. */
  readonly for?: DurationMs;
  readonly account?: string;
}

/** What `resources end` was given. */
export interface ResourceEndFlags {
  readonly wait?: boolean;
  readonly timeout?: DurationMs;
}

/** What `sudo` was given. */
export interface SudoFlags {
  readonly for: DurationMs;
  readonly reason?: string;
  readonly only?: boolean;
  readonly ticket?: string;
  readonly keep?: boolean;
  readonly timeout?: DurationMs;
}
