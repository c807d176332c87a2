import type { BootMs, GrantOptions, InstantMs, LeaseClaims } from '@curfew/shared';

/** What is recorded of the calls of sudo under a right, and whether sudo refuses where that cannot be done. */
export type RecordingTerms = NonNullable<LeaseClaims['recording']>;

/** An account as a lease names it. `uid` is null on Windows, `sid` is '' elsewhere. */
export interface GrantAccount {
  readonly name: string;
  readonly uid: number | null;
  readonly sid: string;
  readonly fingerprint: string;
}

/** A right to be made, every default filled in, every check of the lease passed. */
export interface GrantOrder {
  readonly sessionId: string;
  readonly account: GrantAccount;
  readonly options: GrantOptions;
  /** When the right must be gone, on this boot's clock. */
  readonly deadline: BootMs;
  /** When the right must be gone by the wall clock. The earlier of the two counts. */
  readonly wallEnd: InstantMs;
  /** Whether what runs under the right is only reported when it ends, not ended. */
  readonly keepProcesses: boolean;
  /** What is recorded of the calls of sudo under the right; absent for nothing. */
  readonly recording?: RecordingTerms | undefined;
  /** Whether the desktop's prompts are answered as well; only a sudo rule with every command as root ever does so. */
  readonly desktop?: true | undefined;
}

/** What is left of an order once it is made: enough to remove it without looking anything up. */
export type RightRef = Pick<GrantOrder, 'sessionId' | 'account' | 'options'>;

/** A right with Curfew's mark, as read back from the operating system. `sessionId` is from the mark. */
export interface FoundRight {
  readonly sessionId: string;
  readonly kind: GrantOptions['kind'];
  /** The account, as far as the mark tells; by its SID on Windows. */
  readonly uid: number | null;
  readonly sid?: string;
}

/** What read-back says of a right: as ordered, not there, or there but not as Curfew made it. */
export type RightCondition = 'live' | 'absent' | 'altered';

/** What this device can do, found out by trying on the machine itself. */
export interface HostCapabilities {
  /** The kinds that can be given, each with the reason when it cannot. */
  readonly kinds: Readonly<
    Record<GrantOptions['kind'], { readonly supported: true } | { readonly supported: false; readonly why: string }>
  >;
  /** The installed sudo's version line, '' when there is none. */
  readonly sudoVersion: string;
  /** Whether sudo itself refuses after the end (NOTAFTER). */
  readonly sudoEnforcesEnd: boolean;
  /** What removes a right when the agent is dead. */
  readonly independentRemover: 'systemd-timer' | 'watchdog-process' | 'scheduled-task' | 'none';
  /** What is wrong with the machine, one plain sentence each. */
  readonly findings: readonly string[];
}

/**
 * Gives and removes rights on this machine. Every call is idempotent by session id. Only what carries Curfew's mark
 * is ever touched. The caller keeps the order: intent recorded, `arm`, `grant`, report; `remove`, record, report,
 * `disarm`.
 */
export interface PrivilegeHost {
  /** Makes the machine ready (drop-in, directories) and says what it can do. Changes nothing when all is in place. */
  prepare(): Promise<HostCapabilities>;

  /** What went wrong since with rights that are held all the same, one plain sentence each. */
  troubles?(): readonly string[];
  /** Every right with Curfew's mark that the operating system holds now, also those of a forgotten past. */
  list(): Promise<FoundRight[]>;
  /**
   * Arms what removes the right at its deadline without this process; replaces an earlier arming of the session.
   * Errors: REMOVER_UNAVAILABLE.
   */
  arm(order: GrantOrder): Promise<void>;
  /**
   * Makes the right, or replaces it with new terms, and reads it back. On an error no right of this session is left.
   * Errors: ACCOUNT_CHANGED, ACCOUNT_INELIGIBLE, GRANT_KIND_UNSUPPORTED, RULE_REJECTED, DEVICE_STORAGE_FAILED,
   * GRANT_NOT_EFFECTIVE.
   */
  grant(order: GrantOrder): Promise<void>;
  /** Cheap read-back of one right, without starting a process: for every tick. */
  inspect(order: RightRef): Promise<RightCondition>;
  /** Removes the right and the person's cached authentication, and reads back that it is gone. Needs no disk space, name or network. */
  remove(right: RightRef | FoundRight): Promise<void>;
  /** The sessions for which an independent remover is armed, also by an earlier process. */
  armed(): Promise<readonly string[]>;
  /** Stands the independent remover of a session down. */
  disarm(sessionId: string): Promise<void>;
  /** Takes everything that Curfew has put on the machine away: rights first, then the drop-in. For uninstall. */
  uninstall(): Promise<void>;
}
