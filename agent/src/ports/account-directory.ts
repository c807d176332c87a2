import type { AccountKey } from './account-key.js';
import type { GrantAccount } from './privilege-host.js';

/** An account of this machine. */
export interface LocalAccount extends GrantAccount {
  /** Whether it is an administrator without Curfew (uid 0, a sudo rule or an administrators' group of its own). */
  readonly standingAdmin: boolean;
  /** Why it can never be elevated, such as a system account; '' when it can. */
  readonly ineligibleReason: string;
}

/** The machine's accounts. Names in it are hostile text. */
export interface AccountDirectory {
  /**
   * The account of a key; undefined only when there is none. Never waits longer than 2 s, whatever name services do. Errors:
   * COMMAND_FAILED where those who would know do not answer.
   */
  byKey(key: AccountKey): Promise<LocalAccount | undefined>;
  /** The local accounts that people may use, plus those that can never be elevated left out. At most 2,000. */
  list(): Promise<LocalAccount[]>;
}

/** Accounts that tell when they have changed. */
export interface WatchedAccounts extends AccountDirectory {
  /** Another text whenever `list` may have changed. Cheap. */
  version(): Promise<string>;
}
