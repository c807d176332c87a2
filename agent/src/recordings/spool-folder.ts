import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

/** A piece of a recording's events: a file named by where it begins in them. */
export interface EventPiece {
  readonly file: string;
  readonly from: number;
  readonly size: number;
}

const RECORDING = /^rec-[0-9a-z]{20}$/;
const PIECE = /^events-(\d{16})$/;

/** Where recordings wait: a folder for each below one, with `head.json` and its events in pieces. */
export class SpoolFolder {
  constructor(readonly root: string) {}

  folder(id: string): string {
    return path.join(this.root, id);
  }

  headFile(id: string): string {
    return path.join(this.folder(id), 'head.json');
  }

  pieceFile(id: string, from: number): string {
    return path.join(this.folder(id), `events-${String(from).padStart(16, '0')}`);
  }

  /** The recordings that there are, in no order. */
  async ids(): Promise<string[]> {
    return (await readdir(this.root).catch(() => [])).filter((name) => RECORDING.test(name));
  }

  /** The pieces of a recording that are still there, in order. */
  async pieces(id: string): Promise<EventPiece[]> {
    const names = (await readdir(this.folder(id)).catch(() => [])).filter((name) => PIECE.test(name)).sort();
    const pieces = await Promise.all(
      names.map(async (name) => {
        const file = path.join(this.folder(id), name);
        const size = await stat(file).then(
          (facts) => facts.size,
          () => undefined,
        );
        return size === undefined ? [] : [{ file, from: Number(name.slice(-16)), size }];
      }),
    );
    // What could not be cut away after a failure of the disk stands in the next piece once more.
    return pieces.flat().map((piece, index, all) => {
      const next = all[index + 1]?.from ?? Infinity;
      return { ...piece, size: Math.min(piece.size, next - piece.from) };
    });
  }

  /** How much room a recording takes on the disk: its bytes, and what the file system needs for a folder and its files. */
  async size(id: string): Promise<number> {
    const head = await stat(this.headFile(id)).catch(() => undefined);
    const events = (await this.pieces(id)).reduce((sum, { size }) => sum + PIECE_COST + size, 0);
    return RECORDING_COST + (head?.size ?? 0) + events;
  }
}

/** A block of the disk for what does not fill one: the folder and the end of the head; the end of each file of events. */
const BLOCK = 4096;
export const [RECORDING_COST, PIECE_COST] = [2 * BLOCK, BLOCK];
