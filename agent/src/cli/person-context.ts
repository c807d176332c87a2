import type { Terminal } from '@curfew/shared/cli';

/** What curfew may use of the world around it. */
export interface PersonContext extends Terminal {
  readonly version: string;
}
