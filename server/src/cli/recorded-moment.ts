import type { RecordedEvent } from '@curfew/proto';
import type { RecordedMoment, RecordedStream } from '@curfew/shared/cli';

const STREAMS = {
  terminalOutput: 'terminal_output',
  standardOutput: 'standard_output',
  standardError: 'standard_error',
  terminalInput: 'terminal_input',
  standardInput: 'standard_input',
} as const satisfies Record<string, RecordedStream>;

/** An event from the wire; undefined for one of a kind that this program does not know. */
export function momentFromProto({ delay, event }: RecordedEvent): RecordedMoment | undefined {
  const delayMs = delay === undefined ? 0 : Number(delay.seconds) * 1000 + delay.nanos / 1_000_000;
  if (event === undefined) return undefined;
  switch (event.$case) {
    case 'windowSize':
      return { kind: 'window_size', delayMs, columns: event.value.columns, lines: event.value.lines };
    case 'suspension':
      return { kind: 'suspension', delayMs, signal: event.value };
    case 'lostBytes':
      return { kind: 'lost_bytes', delayMs, count: Number(event.value) };
    default:
      return { kind: STREAMS[event.$case], delayMs, bytes: event.value };
  }
}
