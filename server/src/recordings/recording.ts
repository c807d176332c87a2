import type { RecordingMode } from '../policies/policy-spec.js';

/** How far a recording is; all but the first are its end. */
export type RecordingState = 'running' | 'complete' | 'cut_short' | 'refused';

/** What a device says of one call of sudo. Texts are hostile, and may hold secrets: command lines do. */
export interface RecordingHead {
  readonly id: string;
  readonly sessionId: string;
  readonly command: string;
  readonly arguments: readonly string[];
  readonly argumentsCut: boolean;
  readonly workingDirectory: string;
  readonly terminal: string;
  readonly runAsUser: string;
  readonly columns: number;
  readonly lines: number;
  /** By the device's clock. */
  readonly startedAtMs: number;
  readonly state: RecordingState;
  /** Null while it runs. */
  readonly runTimeMs: number | null;
  readonly exitStatus: number;
  readonly signal: string;
  readonly error: string;
  readonly mode: RecordingMode | null;
  readonly lostBytes: number;
}

/** A recording as it is kept. */
export interface StoredRecording {
  readonly head: RecordingHead;
  readonly deviceId: string;
  /** How many bytes of events there are. */
  readonly size: number;
  /** Whether more is to come: it runs, or the device has more events than there are here. */
  readonly isOpen: boolean;
  /** Whether an operator wants its command to end. */
  readonly isToEnd: boolean;
}

/** Events of a recording as a device sent them: whole messages, each after its length. */
export interface Frames {
  readonly bytes: Buffer;
  /** Where each of them ends in `bytes`, ascending. */
  readonly ends: readonly number[];
}
