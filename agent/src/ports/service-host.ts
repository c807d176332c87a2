import type { Writable } from 'node:stream';

/** A service manager that starts programs in a way of its own, once it has taken this process for its service. */
export interface ServiceHost {
  /** Resolves when it wants this process to stop. */
  readonly stop: Promise<void>;
  /** Where its services write what they have to say. */
  readonly log: Writable;
  /** Calls the listener when the machine wakes, or somebody signs in or out: time may have passed unseen. */
  onWake(listener: () => void): void;
  /** Told just before this process ends; 0 is an end as wanted. */
  stopped(exitCode: number): void;
}
