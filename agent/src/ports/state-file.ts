import type { BootMs, EndReason } from '@curfew/shared';
import type { GrantOrder } from './privilege-host.js';

/** A right in the agent's record. The record may claim too much, never too little. */
export interface GrantRecord extends GrantOrder {
  readonly epoch: number;
  /** `intended`: may or may not exist. `held`: read back. `removing`: the end is decided. */
  readonly phase: 'intended' | 'held' | 'removing';
  /** When it was made, by the wall clock; 0 before. */
  readonly madeAtMs: number;
  /** Whether the worst of what its session leaves behind is undone at its end. */
  readonly undoChanges: boolean;
  /** How long after the link is lost it ends; absent when it does not end for that. */
  readonly offlineEndAfterMs?: number;
  /** Why it is being removed; unset in the other phases. */
  readonly end?: { readonly reason: EndReason; readonly code: string; readonly detail: string };
}

/** An end that the server has not yet taken out of the desired state. */
export interface EndedRecord {
  readonly sessionId: string;
  readonly epoch: number;
  readonly uid: number | null;
  readonly sid: string;
  readonly reason: EndReason;
  readonly code: string;
  readonly detail: string;
  readonly endedAtMs: number;
}

/**
 * The number of the format that this agent writes. Each field that an agent of before does not know takes the next one: it would
 * take the state for a damaged one, and forget what was revoked.
 */
export const STATE_FORMAT = 2;

/** Everything that the agent must know after a restart. */
export interface AgentState {
  readonly version: typeof STATE_FORMAT;
  /** The device that the floors and rights are of; '' when it was not yet known. */
  readonly deviceId: string;
  /** The boot in which it was written; a right of another boot is gone. */
  readonly bootId: string;
  /** The ledger incarnation that the agent has accepted; 0 before the first. */
  readonly incarnation: number;
  /** The highest generation seen in that incarnation. */
  readonly floorGeneration: number;
  /** The highest epoch known to be revoked in that incarnation. */
  readonly floorEpoch: number;
  /** The latest wall-clock time that a server has signed: earlier readings of the clock are wrong. */
  readonly latestSignedMs: number;
  /** The newest audit checkpoint (signed note) that the agent keeps; '' before the first. */
  readonly checkpoint: string;
  /** When the link was last known to be up, on the clock of that boot; kept while a right depends on it. */
  readonly linkSeen?: BootMs;
  /** The checkpoint of the newest desired state that was accepted; '' before the first. */
  readonly desiredCheckpoint: string;
  readonly grants: readonly GrantRecord[];
  readonly ended: readonly EndedRecord[];
}

/**
 * What stands in the state file: a state, nothing yet, one that a newer agent has written, or something unreadable (of these two
 * every marked right is to go).
 */
export type StoredState =
  | { readonly found: 'state'; readonly state: AgentState }
  | { readonly found: 'nothing' }
  | { readonly found: 'newer'; readonly file: string; readonly version: number }
  | { readonly found: 'damage'; readonly problem: string };

/** The agent's memory: one file, replaced atomically, in a folder that only root can enter. */
export interface StateFile {
  load(): Promise<StoredState>;
  /** Resolves once the state survives a power cut. Errors: DEVICE_STORAGE_FAILED. */
  save(state: AgentState): Promise<void>;
}
