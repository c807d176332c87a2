import type { Terminal } from '@curfew/shared/cli';

/** What the commands of curfew-server may use of the world around them. */
export interface ServerContext extends Terminal {
  readonly version: string;
}
