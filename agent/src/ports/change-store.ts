import type { LastingItem, Weight } from './lasting-power.js';

/** Something that gives power after a session and was not so before it. */
export interface LastingChange {
  readonly kind: LastingItem['kind'];
  readonly action: 'added' | 'changed' | 'removed';
  readonly subject: string;
  readonly weight: Weight;
  /** The package that has brought it, as it is; '' when none has. */
  readonly package: string;
  /** What was there and what is there, in words. */
  readonly detail: string;
}

/** A change, and whether it is still there. */
export interface FoundChange extends LastingChange {
  readonly present: boolean;
  /** Curfew has undone it at the session's end. */
  readonly undone?: true;
}

/** What is known of the lasting changes of one session. */
export interface ChangeRecord {
  readonly sessionId: string;
  /** Whose session it is: the account's name. */
  readonly account: string;
  /** From when on what happens may be the session's work, by the wall clock. */
  readonly startMs: number;
  /** What was there before; nothing any more once the session is over. Privileged files are not among it. */
  readonly baseline: readonly LastingItem[];
  /** The privileged files of the last scan before, and when it was; undefined when there was none. */
  readonly scan?: PastLook;
  /** The worst is to be undone at the end. */
  readonly undo: boolean;
  readonly found: readonly FoundChange[];
  /** `during`: it goes on. `scanning`: over, privileged files are yet to be looked at. `over`: nothing more is found. */
  readonly phase: 'during' | 'scanning' | 'over';
  /** What could not be looked at, in whole sentences. */
  readonly gaps: readonly string[];
  /** When it was last looked at, by the wall clock. */
  readonly lookedAtMs: number;
}

/** What was found by one look at the machine. */
export interface PastLook {
  readonly takenAtMs: number;
  readonly items: readonly LastingItem[];
}

/** Keeps what is known of lasting changes until the server has it. Errors of writing: DEVICE_STORAGE_FAILED. */
export interface ChangeStore {
  /** Every record that can be read. */
  load(): Promise<readonly ChangeRecord[]>;
  save(record: ChangeRecord): Promise<void>;
  remove(sessionId: string): Promise<void>;
  /** The newest look that was made while there was no right on the device. */
  loadLook(): Promise<PastLook | undefined>;
  saveLook(look: PastLook): Promise<void>;
  /** The newest search for privileged files that came to its end. */
  loadScan(): Promise<PastLook | undefined>;
  saveScan(scan: PastLook): Promise<void>;
}
