import type { DurationMs } from '@curfew/shared';

/** What starts the agent and watches over it. */
export interface ServiceManager {
  /** How long it waits for a sign of life before it restarts the agent; undefined where it does not watch. */
  readonly patience: DurationMs | undefined;
  /** Tells that what an earlier process left has been swept: people may log in now. */
  ready(): void;
  /** Gives a sign of life. */
  alive(): void;
  /** Ends an agent that runs as the given process, if one does, and sees that none is started at the next boot. */
  stopAgent(pid: number | undefined): Promise<void>;
}
