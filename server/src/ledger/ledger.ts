import type { Kysely, RawBuilder } from 'kysely';
import type { AuditEntry } from '../audit/audit-entry.js';
import type { Tables } from './tables.js';

/** What happened, told to listeners after the commit. Whoever wants more reads the ledger. */
export interface Change {
  /** Grows with every change. */
  readonly revision: number;
  readonly kind: 'session' | 'request' | 'device' | 'user' | 'policy' | 'resource' | 'ledger';
  readonly id: string;
  /** The device that the change concerns; '' when none. */
  readonly deviceId: string;
  /** Whether it takes a right away: whoever works through many changes does these first. */
  readonly takesAway?: true;
}

/** Whether a unit of work waits for what came before it. 'first' is for what takes rights away, and for what confirms that. */
export type Urgency = 'in_turn' | 'first';

export type LedgerReader = Kysely<Tables>;

/** One unit of work inside the group's transaction. It is whole or absent, whatever happens to its neighbours. */
export interface LedgerTransaction {
  readonly db: LedgerReader;
  /** Appends to the audit log: exactly once for each change of state. */
  audit(entry: AuditEntry): void;
  /** Notes a change for listeners and watchers; returns its revision. */
  changed(kind: Change['kind'], id: string, deviceId?: string, takesAway?: boolean): number;
}

/** What a text leads to, for a statement that calls the session `s`. */
export interface SessionMatch {
  /** That the session has the text in its user's name, its device's name, its account's name or its reason. */
  readonly condition: RawBuilder<boolean>;
  /** Whether to begin with the sessions that have it; else they are too many, and an order's index leads sooner. */
  readonly isRare: boolean;
}

/** Finds sessions by a text that people type. Each ledger has its own way. */
export interface SessionSearch {
  /**
   * Capital and small letters are the same, in every script that has them; no sign has a meaning of its own. `alsoEnded`
   * says whether sessions that are over are asked for too; without it those are not looked at, and may match or not.
   */
  match(db: LedgerReader, text: string, alsoEnded: boolean): Promise<SessionMatch>;
}

/** The record of everything. What `write` has resolved is on disk and survives a power cut. */
export interface Ledger {
  /** How sessions are found by a text. */
  readonly sessionSearch: SessionSearch;
  /** Reads what is committed, all of it as of one moment. Neither a read nor a write may be waited for inside another. */
  read<T>(work: (db: LedgerReader) => Promise<T>): Promise<T>;
  /**
   * Runs the work in a transaction that it may share with others of the same moment (group commit); resolves after
   * the commit is durable. An error of the work undoes the work alone. Errors: STORAGE_FAILED when the commit fails.
   */
  write<T>(work: (tx: LedgerTransaction) => Promise<T>, urgency?: Urgency): Promise<T>;
  /** Calls the listener after each commit, in order; returns what stops it. */
  onChange(listener: (changes: readonly Change[]) => void): () => void;
  /** Why it can take no writes now; '' when all is well. */
  readonly problem: string;
  /** Whether this server does what only one may do at a time, such as to send notices: the only one does, or one of several. */
  readonly leads: boolean;
  /** Calls the listener whenever that may have changed; returns what stops it. */
  onLead(listener: () => void): () => void;
  /** Writes a consistent copy while the ledger is in use. */
  backup(file: string): Promise<void>;
  close(): Promise<void>;
}
