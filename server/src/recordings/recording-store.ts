import type { Frames, RecordingHead, StoredRecording } from './recording.js';

/** What is to be added. */
export interface RecordingPart {
  /** What is known of the recording now, whole. */
  readonly head: RecordingHead;
  readonly deviceId: string;
  /** Where the frames begin in the recording's events. */
  readonly offset: number;
  readonly frames: Frames;
  /** How many bytes of events there are on the device, as far as it has said; 0 for no more than these. */
  readonly totalSize: number;
}

/** The end of a session, as far as it matters here. */
export interface SessionEnd {
  readonly sessionId: string;
  readonly endedAtMs: number;
  /** How long its recordings are kept after that; null means the server's default. */
  readonly keepMs: number | null;
}

/** Where a page of a session's recordings goes on: behind this one. */
export interface RecordingCursor {
  readonly startedAtMs: number;
  readonly id: string;
}

/** What was or is to be deleted. */
export interface RecordingCount {
  readonly recordings: number;
  readonly bytes: number;
}

/**
 * Where recordings are kept. What was answered is on disk. It stands beside the ledger: whatever fails here, fails here.
 * Errors of every method: RECORDINGS_UNAVAILABLE.
 */
export interface RecordingStore {
  /**
   * Adds to a recording, or begins it. What is there already is left out; what lies beyond what is there is not taken.
   * Gives how many bytes of events there are. Errors, with nothing taken: RECORDING_INVALID, RECORDING_TOO_LONG,
   * RECORDINGS_FULL, TOO_MANY_CALLS.
   */
  append(part: RecordingPart): Promise<number>;
  /** Errors: RECORDING_NOT_FOUND, RECORDING_UNREADABLE. */
  get(id: string): Promise<StoredRecording>;
  /** The id that a typed id or a unique prefix stands for. Errors: RECORDING_NOT_FOUND, ID_AMBIGUOUS. */
  findId(given: string): Promise<string>;
  /** Those of a session, first call first. What cannot be read stands there without what is known of it. */
  list(sessionId: string, after: RecordingCursor | undefined, limit: number): Promise<StoredRecording[]>;
  count(sessionId: string): Promise<number>;
  /**
   * Events from an offset that a read has ended at, in whole frames: about as many bytes as a piece has, none at the end.
   * Errors: RECORDING_UNREADABLE.
   */
  read(id: string, offset: number): Promise<Buffer>;
  /** Keeps the wish to end a command; the same once more changes nothing. Errors: RECORDING_NOT_FOUND, RECORDING_NOT_RUNNING. */
  cut(id: string): Promise<void>;
  /** Recordings of a device that are to be cut and are not over. */
  toCut(deviceId: string): Promise<string[]>;
  /** Devices with recordings of which more is to come. */
  openDevices(): Promise<string[]>;
  /** Ends the recordings of a device of which nothing will come any more. */
  endOpenOf(deviceId: string): Promise<void>;
  /** Sessions with recordings whose end is not known here, at most `limit` behind one. */
  openSessions(after: string, limit: number): Promise<string[]>;
  noteEnded(ends: readonly SessionEnd[]): Promise<void>;
  /** What is kept no longer. */
  due(now: number, defaultKeepMs: number): Promise<RecordingCount>;
  /** Deletes what is kept no longer; when it is answered, nobody can read that any more. */
  deleteDue(now: number, defaultKeepMs: number): Promise<RecordingCount>;
  /** Calls the listener after something has changed in a recording; returns what stops it. */
  onChange(id: string, listener: () => void): () => void;
  close(): Promise<void>;
}
