import type { DurationMs } from '@curfew/shared/cli';

/** What `users update` was given. */
export interface UserChange {
  readonly role?: string;
  readonly displayName?: string;
  readonly email?: string;
  readonly disable?: boolean;
  readonly enable?: boolean;
}

/** What `users groups` was given. */
export interface GroupChange {
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
}

/** What `tokens create` was given. */
export interface TokenWish {
  readonly label: string;
  readonly user?: string;
  readonly scope?: string;
  readonly ttl?: DurationMs;
}
