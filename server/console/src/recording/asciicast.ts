import {
  asciicastHeader,
  AsciicastWriter,
  RECORDED_STREAMS,
  type AsciicastEvent,
  type RecordedMoment,
} from '@curfew/shared/browser';
import type { RecordedEventJson, RecordingJson } from '../gen/api.js';
import { commandLine } from './command-line.js';

/** The size of a terminal in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly lines: number;
}

/** One event of an asciicast: output, input, another size ('100x30'), or a mark with a label. */
export interface CastEvent {
  /** Since the start, in milliseconds, with fractions. */
  readonly atMs: number;
  readonly code: 'o' | 'i' | 'r' | 'm';
  readonly data: string;
}

/** The API's name of each stream. */
const FIELDS = {
  terminal_output: 'terminalOutput',
  standard_output: 'standardOutput',
  standard_error: 'standardError',
  terminal_input: 'terminalInput',
  standard_input: 'standardInput',
} as const satisfies Record<(typeof RECORDED_STREAMS)[number], keyof RecordedEventJson>;

const toCast = ([seconds, code, data]: AsciicastEvent): CastEvent => ({ atMs: seconds * 1000, code, data });

/** Turns the events of a recording, as the API writes them, into those of an asciicast, one after the other. */
export class CastConverter {
  private readonly writer = new AsciicastWriter();
  /** Of events that this console does not know. */
  private carriedMs = 0;

  /** The next event as asciicast events: none where a letter is not whole yet. */
  push(event: RecordedEventJson): CastEvent[] {
    const delayMs = milliseconds(event.delay) + this.carriedMs;
    const moment = momentOf(event, delayMs);
    this.carriedMs = moment === undefined ? delayMs : 0;
    return moment === undefined ? [] : this.writer.add(moment).map(toCast);
  }

  /** After the last event: what was begun and never ended. */
  end(): CastEvent[] {
    return this.writer.end().map(toCast);
  }
}

function momentOf(event: RecordedEventJson, delayMs: number): RecordedMoment | undefined {
  const stream = RECORDED_STREAMS.find((one) => event[FIELDS[one]] !== undefined);
  if (stream !== undefined) {
    const bytes = Uint8Array.from(atob(event[FIELDS[stream]] ?? ''), (letter) => letter.charCodeAt(0));
    return { kind: stream, delayMs, bytes };
  }
  if (event.windowSize !== undefined) {
    const { columns = 0, lines = 0 } = event.windowSize;
    return { kind: 'window_size', delayMs, columns, lines };
  }
  if (event.lostBytes !== undefined) return { kind: 'lost_bytes', delayMs, count: Number(event.lostBytes) };
  return event.suspension === undefined ? undefined : { kind: 'suspension', delayMs, signal: event.suspension };
}

/** '1.5s' in milliseconds; 0 for what is none. */
function milliseconds(duration: string | undefined): number {
  const [, seconds = '0', fraction = '0'] = /^(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(duration ?? '') ?? [];
  return Number(seconds) * 1e3 + Number(`0.${fraction}`) * 1e3;
}

function headOf(recording: RecordingJson): ReturnType<typeof asciicastHeader> {
  const { columns = 0, lines = 0, startTime = '' } = recording;
  const command = commandLine(recording);
  return asciicastHeader({ columns, lines, startedAtMs: Date.parse(startTime), command });
}

/** The size of the terminal at the start of a recording; that of a common one where there was none. */
export function sizeAtStart(recording: RecordingJson): TerminalSize {
  const { width, height } = headOf(recording);
  return { columns: width, lines: height };
}

/** The size that an event of the code 'r' tells; undefined where it is none. */
export function sizeFromCast(data: string): TerminalSize | undefined {
  const [columns = 0, lines = 0] = data.split('x').map(Number);
  return columns > 0 && lines > 0 ? { columns, lines } : undefined;
}

/** A recording as a file of the form asciicast v2: a line of JSON for its head, and one for each event. */
export function castFile(recording: RecordingJson, events: Iterable<CastEvent>): string {
  const rows = [JSON.stringify(headOf(recording))];
  for (const { atMs, code, data } of events) rows.push(JSON.stringify([Number((atMs / 1000).toFixed(6)), code, data]));
  return `${rows.join('\n')}\n`;
}
