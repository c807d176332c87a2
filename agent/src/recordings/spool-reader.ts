import { open, readFile, rm } from 'node:fs/promises';
import { ONE_FRAME, wholeFrames } from './recorded-event.js';
import { parseHead, type RecordingHead } from './recording-head.js';
import { SpoolFolder } from './spool-folder.js';

/** A recording as the agent finds it. */
export interface WaitingRecording {
  readonly head: RecordingHead;
  /** Where the events begin that are still here, and where those end that have come. */
  readonly from: number;
  readonly end: number;
}

/** The agent's side of the recordings on the disk: reads them, and takes away what the server has. */
export class SpoolReader {
  constructor(private readonly folder: SpoolFolder) {}

  /** The recordings that there are, oldest first. */
  async list(): Promise<WaitingRecording[]> {
    const found = await Promise.all((await this.folder.ids()).map((id) => this.look(id)));
    return found.filter((one) => one !== undefined).sort((a, b) => a.head.startMs - b.head.startMs);
  }

  private async look(id: string): Promise<WaitingRecording | undefined> {
    // The head first: when it says that the recording is over, all its events are there.
    const head = parseHead(await readFile(this.folder.headFile(id), 'utf8').catch(() => ''));
    if (head === undefined) return undefined;
    const pieces = await this.folder.pieces(id);
    const last = pieces.at(-1);
    return { head, from: pieces[0]?.from ?? 0, end: last === undefined ? 0 : last.from + last.size };
  }

  /** Whole frames from a place where one begins: `most` bytes, or one frame if that is longer. Empty when there are none. */
  async read(id: string, offset: number, most: number): Promise<Buffer> {
    const pieces = await this.folder.pieces(id);
    const piece = pieces.find(({ from, size }) => from <= offset && offset < from + size);
    if (piece === undefined) return Buffer.alloc(0);
    const rest = piece.from + piece.size - offset;
    const bytes = await readAt(piece.file, offset - piece.from, Math.min(rest, Math.max(most, ONE_FRAME)));
    const within = wholeFrames(bytes.subarray(0, most));
    if (within > 0) return bytes.subarray(0, within);
    const one = bytes.length < 4 ? 0 : 4 + bytes.readUInt32BE(0);
    return wholeFrames(bytes.subarray(0, one)) === one ? bytes.subarray(0, one) : Buffer.alloc(0);
  }

  /** Takes away events before a place, as far as they fill whole files; the newest file stays. */
  async dropBefore(id: string, offset: number): Promise<void> {
    const pieces = await this.folder.pieces(id);
    for (const { file, from, size } of pieces.slice(0, -1)) if (from + size <= offset) await rm(file, { force: true });
  }

  /** Takes a recording away whole. */
  async remove(id: string): Promise<void> {
    await rm(this.folder.folder(id), { recursive: true, force: true });
  }
}

async function readAt(file: string, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const handle = await open(file, 'r');
  try {
    const { bytesRead } = await handle.read(bytes, 0, length, position);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
