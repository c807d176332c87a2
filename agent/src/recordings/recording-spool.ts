import { CurfewError, type Logger } from '@curfew/shared';
import { mkdir, open, readFile, rename, rm, truncate, writeFile, type FileHandle } from 'node:fs/promises';
import { wholeFrames } from './recorded-event.js';
import { parseHead, type RecordingHead } from './recording-head.js';
import { PIECE_COST, RECORDING_COST, type SpoolFolder } from './spool-folder.js';
import { SpoolRoom } from './spool-room.js';

export interface RecordingSpoolParts {
  readonly folder: SpoolFolder;
  /** How much room all recordings together may take. */
  readonly limit: number;
  readonly logger: Logger;
}

/** A piece of events is closed when it is as long as this: what the server has of a recording can go while it goes on. */
const PIECE_SIZE = 1024 * 1024;

/** A recording that is being written. One writer at a time. */
export interface SpooledRecording {
  /**
   * Adds whole frames, all or none. Gives whether there was room and the disk took them. What is the `last` word may use what
   * is kept free for it.
   */
  append(frames: Buffer, last?: 'last'): Promise<boolean>;
  /** Replaces the head; nothing happens when the disk does not take it. */
  setHead(head: RecordingHead): Promise<void>;
  close(): Promise<void>;
}

/** The follower's side of the recordings on the disk, within their bound. The agent takes away what the server has. */
export class RecordingSpool {
  private readonly room: SpoolRoom;

  constructor(private readonly parts: RecordingSpoolParts) {
    this.room = new SpoolRoom(parts.folder, parts.limit);
  }

  /**
   * Takes up what an earlier process has left: what was running is cut short, as its sudo has lost its log server, and a last
   * frame that is not whole goes.
   */
  async recover(): Promise<void> {
    const { folder, logger } = this.parts;
    for (const id of await folder.ids()) {
      const head = parseHead(await readFile(folder.headFile(id), 'utf8').catch(() => ''));
      if (head === undefined) {
        // Not even its head was written, or that was lost with the power: nothing can be said of it.
        await rm(folder.folder(id), { recursive: true, force: true });
        logger.warn('a recording without a head was removed', { recordingId: id });
      } else if (head.state === 'running') {
        await this.cutTornFrame(id);
        await replaceHead(folder, { ...head, state: 'cut_short' });
        logger.warn('a recording was cut short', { recordingId: id, sessionId: head.sessionId });
      }
    }
    await this.room.count();
  }

  /** Whether a new recording has room. */
  hasRoom(): Promise<boolean> {
    return this.room.has(RECORDING_COST);
  }

  /** Begins a recording. Errors: DEVICE_STORAGE_FAILED when there is no room, or the disk does not take it. */
  async begin(head: RecordingHead): Promise<SpooledRecording> {
    const { folder } = this.parts;
    const cost = RECORDING_COST + Buffer.byteLength(JSON.stringify(head));
    const failed = (cause: unknown): CurfewError =>
      new CurfewError('DEVICE_STORAGE_FAILED', { file: folder.root, detail: String(cause) }, { cause });
    if (!(await this.room.take(cost))) throw failed('there is no room left for recordings');
    try {
      await mkdir(folder.folder(head.id), { mode: 0o700 });
      await replaceHead(folder, head);
      this.room.settle(cost, true);
      return new Writing(head.id, folder, this.room);
    } catch (error) {
      this.room.settle(cost, false);
      await rm(folder.folder(head.id), { recursive: true, force: true }).catch(() => undefined);
      throw failed(error);
    }
  }

  private async cutTornFrame(id: string): Promise<void> {
    const pieces = await this.parts.folder.pieces(id);
    let from = pieces[0]?.from;
    for (const piece of pieces) {
      const whole = piece.from === from ? wholeFrames(await readFile(piece.file)) : 0;
      if (whole < piece.size) await truncate(piece.file, whole);
      // What comes after a gap cannot be placed.
      from = whole === piece.size ? piece.from + piece.size : undefined;
    }
  }
}

class Writing implements SpooledRecording {
  private handle: FileHandle | undefined;
  private pieceSize = 0;
  private end = 0;

  constructor(
    private readonly id: string,
    private readonly folder: SpoolFolder,
    private readonly room: SpoolRoom,
  ) {}

  async append(frames: Buffer, last?: 'last'): Promise<boolean> {
    const isNewPiece = this.handle === undefined || this.pieceSize >= PIECE_SIZE;
    const cost = frames.length + (isNewPiece ? PIECE_COST : 0);
    if (!(await this.room.take(cost, last))) return false;
    try {
      if (isNewPiece) await this.openPiece();
      await this.write(frames);
      this.room.settle(cost, true);
      return true;
    } catch {
      this.room.settle(cost, false);
      // Half a frame would be read as none for ever after.
      await this.handle?.truncate(this.pieceSize).catch(() => this.close());
      return false;
    }
  }

  async setHead(head: RecordingHead): Promise<void> {
    await replaceHead(this.folder, head).catch(() => undefined);
  }

  async close(): Promise<void> {
    const { handle } = this;
    this.handle = undefined;
    await handle?.close().catch(() => undefined);
  }

  private async openPiece(): Promise<void> {
    await this.close();
    // What is left there of a write that failed is cut away.
    this.handle = await open(this.folder.pieceFile(this.id, this.end), 'w', 0o600);
    this.pieceSize = 0;
  }

  private async write(frames: Buffer): Promise<void> {
    const written = await this.handle?.write(frames, 0, frames.length, this.pieceSize);
    if (written?.bytesWritten !== frames.length) throw new Error('the disk took a part only');
    this.pieceSize += frames.length;
    this.end += frames.length;
  }
}

/** Whole or not at all. A power cut may take the last ones: recordings are not worth the wait for the disk. */
async function replaceHead(folder: SpoolFolder, head: RecordingHead): Promise<void> {
  const file = folder.headFile(head.id);
  await writeFile(`${file}.new`, JSON.stringify(head), { mode: 0o600 });
  await rename(`${file}.new`, file);
}
