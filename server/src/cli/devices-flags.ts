import type { DurationMs } from '@curfew/shared/cli';

/** Which devices a list shows. */
export interface DevicePick {
  readonly text?: string;
  readonly online?: boolean;
  readonly offline?: boolean;
  readonly removed?: boolean;
  readonly orderBy?: string;
}

/** Which machines a join token is for, how long it works, and where they reach the server. */
export interface JoinTokenWish {
  /** 1 when it is not said. */
  readonly uses?: number;
  /** The only device that it lets in again. */
  readonly for?: string;
  readonly ttl?: DurationMs;
  readonly address?: string;
}
