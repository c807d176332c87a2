import type { Duplex } from 'node:stream';
import type { Caller } from './account-key.js';

/** Where people on the device reach the agent. Who calls, the operating system says. */
export interface LocalDoor {
  /**
   * Lets people in at `place`: a socket or a pipe that everybody on the device may connect to, and nobody from elsewhere.
   * Whose caller is not known is shown out. Errors: another program has the place.
   */
  open(place: string, enter: (stream: Duplex, caller: Caller) => void): Promise<void>;
  close(): Promise<void>;
  /** The process that answers at `place`, as the operating system says; undefined when there is none. */
  keeper(place: string): Promise<number | undefined>;
}
