import type { ContractCase } from './contract-case.js';

const NONE = 'rec-00000000000000000000';

/** What was run in sessions, from the session that was given on. */
export const RECORDING_CASES: readonly ContractCase[] = [
  {
    name: 'what was run in a session where nothing was',
    as: 'erin',
    method: 'RecordingService/ListRecordings',
    request: (kept) => ({ sessionId: kept.get('given') }),
  },
  {
    name: 'what was run in no session',
    as: 'erin',
    method: 'RecordingService/ListRecordings',
    request: { sessionId: 'ses-00000000000000000000' },
    refused: 'SESSION_NOT_FOUND',
  },
  {
    name: 'what was run, on a page that nobody named',
    as: 'erin',
    method: 'RecordingService/ListRecordings',
    request: (kept) => ({ sessionId: kept.get('given'), pageToken: 'x' }),
    refused: 'PAGE_TOKEN_INVALID',
  },
  {
    name: 'what was run, for a user',
    as: 'carol',
    method: 'RecordingService/ListRecordings',
    request: (kept) => ({ sessionId: kept.get('given') }),
    refused: 'METHOD_NOT_ALLOWED',
  },
  {
    name: 'what was run in a session',
    as: 'erin',
    method: 'RecordingService/ListRecordings',
    records: 'running',
    request: (kept) => ({ sessionId: kept.get('given') }),
    has: ['recordings.0.id', 'recordings.0.command', 'recordings.0.startTime', 'recordings.0.size', 'totalSize'],
  },
  {
    name: 'a recording of a command that runs',
    as: 'alice',
    method: 'RecordingService/WatchRecording',
    request: (kept) => ({ recordingId: kept.get('recording') }),
    watches: true,
    has: ['recording.id', 'events.0.delay', 'events.0.terminalOutput'],
  },
  {
    name: 'ending a command that runs',
    as: 'bob',
    method: 'RecordingService/CutRecording',
    request: (kept) => ({ recordingId: kept.get('recording') }),
    has: ['recording.id', 'recording.state'],
  },
  {
    name: 'ending a command that has ended',
    as: 'bob',
    method: 'RecordingService/CutRecording',
    records: 'complete',
    request: (kept) => ({ recordingId: kept.get('recording') }),
    refused: 'RECORDING_NOT_RUNNING',
  },
  {
    name: 'a recording of a command that has ended',
    as: 'alice',
    method: 'RecordingService/WatchRecording',
    request: (kept) => ({ recordingId: kept.get('recording') }),
    watches: true,
    has: ['recording.runTime', 'events.0.terminalOutput'],
  },
  {
    name: 'no recording',
    as: 'alice',
    method: 'RecordingService/WatchRecording',
    request: { recordingId: NONE },
    watches: true,
    refused: 'RECORDING_NOT_FOUND',
  },
  {
    name: 'a recording, for an approver',
    as: 'bob',
    method: 'RecordingService/WatchRecording',
    request: { recordingId: NONE },
    watches: true,
    refused: 'METHOD_NOT_ALLOWED',
  },
  {
    name: 'ending the command of none',
    as: 'bob',
    method: 'RecordingService/CutRecording',
    request: { recordingId: NONE },
    refused: 'RECORDING_NOT_FOUND',
  },
  {
    name: 'ending a command, by a viewer',
    as: 'erin',
    method: 'RecordingService/CutRecording',
    request: { recordingId: NONE },
    refused: 'METHOD_NOT_ALLOWED',
  },
];
