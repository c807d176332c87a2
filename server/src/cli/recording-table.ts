import { type Recording, RecordingState } from '@curfew/proto';
import {
  formatDuration,
  renderTable,
  shellText,
  shortIds,
  timeText,
  type CellStyle,
  type InstantMs,
  type Look,
} from '@curfew/shared/cli';
import { durationFromProto, enumText } from './proto-values.js';

/** What was run, as it would be typed, with the program's path. Hostile text. */
export function recordedCommand({ command, arguments: argv, argumentsCut }: Recording): string {
  return `${shellText([command, ...argv.slice(1)])}${argumentsCut ? ' …' : ''}`;
}

/** How a recording stands, or how its command ended. Hostile text. */
export function recordingOutcome({ state, exitStatus, signal, error }: Recording): string {
  const detail = error === '' ? '' : `: ${error}`;
  if (state === RecordingState.COMPLETE) return signal === '' ? `exit ${exitStatus}${detail}` : `killed by ${signal}`;
  return `${enumText(RecordingState, state).replaceAll('_', ' ')}${detail}`;
}

function style({ state, exitStatus, signal }: Recording): CellStyle | undefined {
  if (state === RecordingState.RUNNING) return 'green';
  if (state !== RecordingState.COMPLETE) return 'yellow';
  return exitStatus === 0 && signal === '' ? 'dim' : 'red';
}

/** The calls of sudo of a session. */
export function recordingTable(recordings: readonly Recording[], now: InstantMs, look: Look): string {
  const short = shortIds(recordings.map(({ id }) => id));
  return renderTable<Recording>(
    [
      { title: 'ID', value: ({ id }) => short(id) },
      { title: 'CALLED', value: ({ startTime }) => timeText(startTime, now) },
      { title: 'AS', value: ({ runAsUser }) => runAsUser },
      { title: 'OUTCOME', value: recordingOutcome, style },
      {
        title: 'TOOK',
        value: ({ runTime }) => (runTime === undefined ? '' : formatDuration(durationFromProto(runTime))),
      },
      { title: 'BYTES', value: ({ size }) => String(size) },
      { title: 'COMMAND', value: recordedCommand, flexible: true },
    ],
    recordings,
    look,
  );
}
