import type { GrantAccount } from './privilege-host.js';

/** What sudo answered when an account tried it. */
export interface SudoAnswer {
  readonly allowed: boolean;
  /** What sudo said, for people. */
  readonly said: string;
}

/** What the selftest needs of a machine beside what every agent uses. */
export interface SelftestMachine {
  /** Removes what a selftest that was killed has left. Gives what it was, in words. */
  sweep(): Promise<readonly string[]>;
  /** Makes an account that nobody can log in to, with a name that no other has. */
  makeAccount(): Promise<GrantAccount>;
  removeAccount(account: GrantAccount): Promise<void>;
  /** Runs a harmless command as root through sudo, as the account, without a password. */
  trySudo(account: GrantAccount): Promise<SudoAnswer>;
  /** What is wrong with the machine's sudo rules; '' when nothing is. */
  sudoProblem(): Promise<string>;
  /** Every setting of the machine, by file: what it is like, content and owner. Backup copies of its tools left out. */
  settings(): Promise<ReadonlyMap<string, string>>;
}
