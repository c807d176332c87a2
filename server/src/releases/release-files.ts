import { CurfewError } from '@curfew/shared';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';

/** The archives of releases, in a folder of the server: each a file that is named for its SHA-256. */
export class ReleaseFiles {
  constructor(private readonly folder: string) {}

  /** Puts a piece into an archive at a place. What is there is written over, so that a piece that comes twice does no harm. */
  async write(sha256: string, offset: number, piece: Uint8Array): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const handle = await open(this.file(sha256), offset === 0 ? 'w' : 'r+', 0o600).catch((cause: unknown) => {
      throw new CurfewError('RELEASE_MALFORMED', { problem: 'its archive is not here any more; remove it' }, { cause });
    });
    try {
      await handle.write(piece, 0, piece.length, offset);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /** The SHA-256 of an archive as it is, lower-case hex. */
  async sha256(name: string): Promise<string> {
    const hash = createHash('sha256');
    for await (const piece of createReadStream(this.file(name)) as AsyncIterable<Buffer>) hash.update(piece);
    return hash.digest('hex');
  }

  /** Some bytes from a place; fewer at the end. undefined when the archive is not there. */
  async read(sha256: string, offset: number, most: number): Promise<Buffer | undefined> {
    const handle = await open(this.file(sha256), 'r').catch(() => undefined);
    if (handle === undefined) return undefined;
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(most), 0, most, offset);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  }

  async remove(sha256: string): Promise<void> {
    await rm(this.file(sha256), { force: true });
  }

  private file(sha256: string): string {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error('no file has such a name');
    return path.join(this.folder, sha256);
  }
}
