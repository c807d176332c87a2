import { RecordedEvent } from '@curfew/proto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Device } from './device.js';

/** Where the agent of a device keeps recordings. */
const SPOOL = 'var/lib/curfew/recordings';

/** A recording as it lies on a device. */
export interface SpooledRecording {
  readonly head: {
    readonly id: string;
    readonly sessionId: string;
    readonly command: string;
    readonly arguments: readonly string[];
    readonly workingDirectory: string;
    readonly terminal: string;
    readonly runAsUser: string;
    readonly mode: string;
    readonly state: string;
    readonly exitStatus: number;
    readonly signal: string;
    readonly error: string;
    readonly lostBytes: number;
    readonly startMs: number;
    readonly runTimeMs?: number;
  };
  readonly bytes: Buffer;
}

/** The recordings that lie on a device, oldest first; files of ours are read as they are, without the agent's code. */
export function spooledRecordings(device: Device): SpooledRecording[] {
  const root = join(device.root, SPOOL);
  return names(root)
    .flatMap((id) => {
      if (!names(join(root, id)).includes('head.json')) return [];
      // The head first: when that says that all is over, everything else is there.
      const head = JSON.parse(readFileSync(join(root, id, 'head.json'), 'utf8')) as SpooledRecording['head'];
      const pieces = names(join(root, id))
        .filter((name) => name.startsWith('events-'))
        .sort();
      return [{ head, bytes: Buffer.concat(pieces.map((name) => readFileSync(join(root, id, name)))) }];
    })
    .sort((a, b) => a.head.startMs - b.head.startMs);
}

/** The events of a recording. Errors: a frame is not whole. */
export function recordedEvents(bytes: Buffer): RecordedEvent[] {
  const events: RecordedEvent[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) throw new Error(`a frame at ${at} is not whole`);
    events.push(RecordedEvent.decode(bytes.subarray(at + 4, end)));
    at = end;
  }
  return events;
}

type DataKind = 'terminalOutput' | 'standardOutput' | 'standardError' | 'terminalInput' | 'standardInput';

/** Everything of one stream, one after the other. */
export const streamOf = (bytes: Buffer, kind: DataKind): Buffer =>
  Buffer.concat(
    recordedEvents(bytes).flatMap(({ event }) => (event?.$case === kind ? [event.value as Uint8Array] : [])),
  );

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
