import { RecordedEvent, Recording, RecordingState } from '@curfew/proto';
import { CurfewError } from '@curfew/shared';
import type { RecordingMode } from '../policies/policy-spec.js';
import type { RecordingHead, RecordingState as StateRecord, StoredRecording } from '../recordings/recording.js';
import { dateFromMs, durationFromMs, msFromDuration } from './proto-values.js';
import { modeFromProto, modeToProto } from './recording-rule.js';

const STATES = {
  running: RecordingState.RUNNING,
  complete: RecordingState.COMPLETE,
  cut_short: RecordingState.CUT_SHORT,
  refused: RecordingState.REFUSED,
} as const;

/** Errors: FIELD_INVALID. */
export function headFromProto(recording: Recording | undefined): RecordingHead {
  const required = (field: string): never => {
    throw new CurfewError('FIELD_INVALID', { field, problem: 'is required' });
  };
  if (recording === undefined) return required('recording');
  const { state, startTime, runTime } = recording;
  return {
    id: recording.id,
    sessionId: recording.sessionId,
    command: recording.command,
    arguments: recording.arguments,
    argumentsCut: recording.argumentsCut,
    workingDirectory: recording.workingDirectory,
    terminal: recording.terminal,
    runAsUser: recording.runAsUser,
    columns: recording.columns,
    lines: recording.lines,
    startedAtMs: startTime?.getTime() ?? required('recording.start_time'),
    state: (Object.keys(STATES) as StateRecord[]).find((one) => STATES[one] === state) ?? required('recording.state'),
    runTimeMs: runTime === undefined ? null : msFromDuration(runTime),
    exitStatus: recording.exitStatus,
    signal: recording.signal,
    error: recording.error,
    mode: modeFromProto(recording.mode) ?? null,
    lostBytes: Number(recording.lostBytes),
  };
}

/** A recording as it is shown; without a time it is not known yet when it is deleted. */
export function recordingToProto({ head, size }: StoredRecording, deleteAtMs: number | null): Recording {
  const { state, startedAtMs, runTimeMs, mode, lostBytes, ...same } = head;
  return Recording.fromPartial({
    ...same,
    arguments: [...same.arguments],
    startTime: dateFromMs(startedAtMs),
    state: STATES[state],
    runTime: runTimeMs === null ? undefined : durationFromMs(runTimeMs),
    mode: modeToProto(mode),
    lostBytes: BigInt(lostBytes),
    size: BigInt(size),
    deleteTime: dateFromMs(deleteAtMs),
  });
}

/** Ten years, as the schema has it for how long a command may run. */
const LONGEST_DELAY_SECONDS = 315_360_000n;
/** More is no duration (duration.proto), and cannot be written as one in JSON. */
const MOST_NANOS = 999_999_999;
const LONGEST_SIGNAL = 32;
const WIDEST = 65_535;

const OUTPUTS = ['terminal_output', 'standard_output', 'standard_error'];
const INPUTS = ['terminal_input', 'standard_input'];

/** What a mode leaves out. */
const LEFT_OUT: Readonly<Record<RecordingMode, readonly string[]>> = {
  commands: [...OUTPUTS, ...INPUTS],
  output: INPUTS,
  input_and_output: [],
};

/** What is wrong with a message that is to be an event, of a session that is recorded in the mode. */
export const eventProblem =
  (mode: RecordingMode) =>
  (message: Buffer): string | undefined => {
    const decoded = decodedEvent(message);
    if (decoded?.event === undefined) return 'is none that is known';
    const { delay, event } = decoded;
    if (
      delay !== undefined &&
      (delay.seconds < 0n || delay.nanos < 0 || delay.nanos > MOST_NANOS || delay.seconds > LONGEST_DELAY_SECONDS)
    )
      return 'is at no time that can be';
    const kind = event.$case.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (LEFT_OUT[mode].includes(kind)) return `is ${kind}, which is not recorded of this session`;
    if (event.$case === 'suspension' && event.value.length > LONGEST_SIGNAL) return 'has a signal that is too long';
    if (event.$case === 'lostBytes' && event.value < 0n) return 'has less than nothing';
    if (event.$case === 'windowSize' && [event.value.columns, event.value.lines].some((one) => one < 0 || one > WIDEST))
      return 'has a size that no terminal has';
    return undefined;
  };

/** Undefined for what is no event. */
export function decodedEvent(message: Buffer): RecordedEvent | undefined {
  try {
    return RecordedEvent.decode(message);
  } catch {
    return undefined;
  }
}
