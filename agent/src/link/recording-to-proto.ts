import { Recording, RecordingMode, RecordingState } from '@curfew/proto';
import type { RecordingHead } from '../recordings/recording-head.js';

const MODES = {
  commands: RecordingMode.COMMANDS,
  output: RecordingMode.OUTPUT,
  input_and_output: RecordingMode.INPUT_AND_OUTPUT,
} as const;

const STATES = {
  running: RecordingState.RUNNING,
  complete: RecordingState.COMPLETE,
  cut_short: RecordingState.CUT_SHORT,
  refused: RecordingState.REFUSED,
} as const;

const durationToProto = (ms: number): { seconds: bigint; nanos: number } => ({
  seconds: BigInt(Math.floor(ms / 1000)),
  nanos: Math.floor(ms % 1000) * 1_000_000,
});

/** A recording as the server is told of it. */
export function recordingToProto({ startMs, runTimeMs, mode, state, lostBytes, ...same }: RecordingHead): Recording {
  return Recording.fromPartial({
    ...same,
    mode: MODES[mode],
    state: STATES[state],
    startTime: new Date(startMs),
    ...(runTimeMs !== undefined && { runTime: durationToProto(runTimeMs) }),
    lostBytes: BigInt(lostBytes),
  });
}
