import type { DurationMs, InstantMs } from '@curfew/shared/browser';
import type { RecordingJson } from '../gen/api.js';
import { commandLine } from '../recording/command-line.js';
import { durationFromProto, timeFromProto, wordFromProto } from './proto-json.js';
import { durationText } from './time-text.js';

/** What can be recorded of a session, besides nothing. */
export const RECORDING_MODES = ['commands', 'output', 'input_and_output'] as const;
export type RecordingMode = (typeof RECORDING_MODES)[number] | 'off';

const RECORDING_STATES = ['running', 'complete', 'cut_short', 'refused'] as const;
type RecordingState = (typeof RECORDING_STATES)[number];

/** A mode of the API; 'off' where none is set. */
export const recordingModeFromProto = (mode: string | undefined): RecordingMode =>
  wordFromProto(RECORDING_MODES, 'RECORDING_MODE_', mode) ?? 'off';

/** One call of sudo as the console shows it. All texts are hostile: show them with SafeText. */
export interface RecordingView {
  readonly id: string;
  readonly sessionId: string;
  readonly commandLine: string;
  readonly workingDirectory: string;
  readonly terminal: string;
  readonly runAsUser: string;
  readonly startTime: InstantMs | undefined;
  readonly state: RecordingState;
  readonly runTime: DurationMs | undefined;
  readonly exitStatus: number;
  readonly signal: string;
  readonly error: string;
  readonly mode: RecordingMode;
  readonly lostBytes: number;
  readonly deleteTime: InstantMs | undefined;
}

/** Reads a recording of the API. */
export function recordingFromProto(json: RecordingJson): RecordingView {
  return {
    id: json.id ?? '',
    sessionId: json.sessionId ?? '',
    commandLine: commandLine(json),
    workingDirectory: json.workingDirectory ?? '',
    terminal: json.terminal ?? '',
    runAsUser: json.runAsUser ?? '',
    startTime: timeFromProto(json.startTime),
    state: wordFromProto(RECORDING_STATES, 'RECORDING_STATE_', json.state) ?? 'cut_short',
    runTime: durationFromProto(json.runTime),
    exitStatus: json.exitStatus ?? 0,
    signal: json.signal ?? '',
    error: json.error ?? '',
    mode: recordingModeFromProto(json.mode),
    lostBytes: Number(json.lostBytes ?? 0),
    deleteTime: timeFromProto(json.deleteTime),
  };
}

/** How a command stands or ended, and how that is to look. */
export interface RecordingStatus {
  readonly text: string;
  readonly look: 'good' | 'busy' | 'bad' | 'over';
}

/** 'running', 'done', 'exit status 1', 'ended by KILL', 'cut short', 'refused'. */
export function recordingStatus({ state, exitStatus, signal }: RecordingView): RecordingStatus {
  switch (state) {
    case 'running':
      return { text: 'running', look: 'busy' };
    case 'refused':
      return { text: 'refused', look: 'bad' };
    case 'cut_short':
      return { text: 'cut short', look: 'bad' };
    case 'complete':
      if (signal !== '') return { text: `ended by ${signal}`, look: 'bad' };
      return exitStatus === 0 ? { text: 'done', look: 'good' } : { text: `exit status ${exitStatus}`, look: 'over' };
  }
}

/** How long a command ran, for people; with tenths where it was quick. Empty while it runs. */
export function runTimeText({ runTime }: Pick<RecordingView, 'runTime'>): string {
  if (runTime === undefined) return '';
  return runTime < 10_000 ? `${(runTime / 1000).toFixed(1)} s` : durationText(runTime);
}

/** A number of bytes for people: '512 bytes', '3.4 MB'. */
export function bytesText(bytes: number): string {
  if (bytes < 1_000) return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  const units = ['kB', 'MB', 'GB', 'TB'] as const;
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(1)} ${units[power - 1] ?? ''}`;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** A place in a recording: '0:07', '12:00', '1:02:03'. */
export function placeText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
