import type { PersonAtWork } from '../person-at-work.js';

/** Another way in which sudo is taken away from somebody on a device. */
export interface Peer {
  readonly name: string;
  /** Whose next `sudo` counts. */
  readonly person: PersonAtWork;
  /** It is measured in one round of so many: some take long. */
  readonly everyRounds: number;
  /** How far ahead of it a revoke is to be, at the least. */
  readonly ahead: number | undefined;
  /** Has the person allowed; what that takes is not measured. */
  give(): Promise<void>;
  /** Takes it away, as an administrator does who sits elsewhere. */
  take(): Promise<void>;
}

/** What was opened for peers, to be closed in the end; and which peers are left out, with the reason. */
export interface Peers {
  readonly peers: readonly Peer[];
  readonly leftOut: readonly string[];
  close(): Promise<void>;
}
