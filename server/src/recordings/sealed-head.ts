import { CurfewError } from '@curfew/shared';
import type { RecordingHead, StoredRecording } from './recording.js';
import type { RecordingSeal } from './recording-seal.js';
import type { RecordingRow } from './recording-tables.js';

/** The longest that may be known of a recording, as it is kept. */
const LONGEST = 131_072;

/** What a head opens beside: nothing of the row can be changed without it. */
const placeOf = (row: Omit<RecordingRow, 'head' | 'cut_at_ms'>): string =>
  JSON.stringify(['head', row.id, row.session_id, row.device_id, row.state, row.size, row.total_size, row.open]);

/** A recording's row, with what is known of it sealed. Errors: RECORDING_INVALID when that is too long. */
export function sealedRow(
  seal: RecordingSeal,
  {
    head,
    deviceId,
    size,
    totalSize,
  }: Pick<StoredRecording, 'head' | 'deviceId' | 'size'> & { readonly totalSize: number },
): Omit<RecordingRow, 'cut_at_ms'> {
  const { id, sessionId, startedAtMs, state } = head;
  const plain = Buffer.from(JSON.stringify(head));
  if (plain.length > LONGEST)
    throw new CurfewError('RECORDING_INVALID', { id, problem: 'what is known of it is too long' });
  const row = {
    id,
    session_id: sessionId,
    device_id: deviceId,
    started_at_ms: startedAtMs,
    state,
    size,
    total_size: totalSize,
    open: Number(state === 'running' || size < totalSize),
  };
  return { ...row, head: seal.seal(id, placeOf(row), plain) };
}

/** Errors: RECORDING_UNREADABLE. */
export function openHead(seal: RecordingSeal, row: RecordingRow): StoredRecording {
  const plain = seal.open(row.id, placeOf(row), row.head);
  return stored(row, JSON.parse(plain.toString()) as RecordingHead);
}

const stored = (row: RecordingRow, head: RecordingHead): StoredRecording => ({
  head,
  deviceId: row.device_id,
  size: row.size,
  isOpen: row.open === 1,
  isToEnd: row.cut_at_ms !== null,
});

/** The same for lists: one that cannot be read stands there without what is known of it. */
export function openHeadOrBare(seal: RecordingSeal, row: RecordingRow): StoredRecording {
  try {
    return openHead(seal, row);
  } catch (error) {
    if (!(error instanceof CurfewError)) throw error;
    return stored(row, bareHead(row, error.message));
  }
}

const bareHead = (row: RecordingRow, error: string): RecordingHead => ({
  id: row.id,
  sessionId: row.session_id,
  command: '',
  arguments: [],
  argumentsCut: false,
  workingDirectory: '',
  terminal: '',
  runAsUser: '',
  columns: 0,
  lines: 0,
  startedAtMs: row.started_at_ms,
  state: row.state as RecordingHead['state'],
  runTimeMs: null,
  exitStatus: 0,
  signal: '',
  error,
  mode: null,
  lostBytes: 0,
});
