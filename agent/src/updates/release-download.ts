import { FetchReleaseRequest } from '@curfew/proto';
import { CurfewError, durationMs, SECOND, sleep, type Clock, type ReleaseStatement } from '@curfew/shared';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ServerLink } from '../link/server-link.js';

export interface DownloadParts {
  readonly link: Pick<ServerLink, 'call'>;
  readonly clock: Clock;
  /** Whether it is still wanted: asked before each part. */
  readonly isWanted: () => boolean;
}

/** How much is fetched in one call. */
const [FIRST, MOST_AT_ONCE, LEAST_AT_ONCE] = [64 * 1024, 256 * 1024, 8 * 1024];
/** A part that takes longer, in milliseconds, is too large: what else the server says must not wait for it. */
const SLOW = 500;
/** A breath between two parts, and a wait after one that did not come. */
const [BREATH, AWAY] = [durationMs(25), durationMs(5 * SECOND)];

/**
 * Fetches an archive into a file, one part after the other, and goes on where it was when it is called again. Gives whether it
 * is whole; not, when it is no longer wanted. Errors: RELEASE_DAMAGED, DEVICE_STORAGE_FAILED, RELEASE_NOT_FOUND.
 */
export async function downloadRelease(
  { size, sha256 }: Pick<ReleaseStatement, 'size' | 'sha256'>,
  file: string,
  { link, clock, isWanted }: DownloadParts,
): Promise<boolean> {
  const handle = await stored(file, () => open(file, 'a', 0o600));
  try {
    let offset = await stored(file, async () => (await handle.stat()).size);
    for (let atOnce = FIRST; offset < size;) {
      if (!isWanted()) return false;
      const request = { sha256, offset: BigInt(offset), maxSize: Math.min(atOnce, size - offset) };
      const askedAt = clock.bootTime();
      let piece: Uint8Array;
      try {
        ({ piece } = await link.call(
          (client) => client.fetchRelease.bind(client),
          FetchReleaseRequest.create(request),
        ));
      } catch (error) {
        if (error instanceof CurfewError && error.code === 'RELEASE_NOT_FOUND') throw error;
        atOnce = Math.max(LEAST_AT_ONCE, atOnce / 2);
        await sleep(clock, AWAY);
        continue;
      }
      if (piece.length === 0 || piece.length > request.maxSize)
        throw new CurfewError('RELEASE_DAMAGED', { problem: `the server has no more than ${offset} of ${size} bytes` });
      await stored(file, () => handle.write(piece));
      offset += piece.length;
      const isSlow = clock.bootTime() - askedAt > SLOW;
      atOnce = isSlow ? Math.max(LEAST_AT_ONCE, atOnce / 2) : Math.min(MOST_AT_ONCE, atOnce * 2);
      await sleep(clock, BREATH);
    }
  } finally {
    await handle.close();
  }
  await compare(file, size, sha256);
  return true;
}

async function compare(file: string, size: number, sha256: string): Promise<void> {
  const hash = createHash('sha256');
  let count = 0;
  for await (const piece of createReadStream(file) as AsyncIterable<Buffer>) {
    hash.update(piece);
    count += piece.length;
  }
  if (count !== size) throw new CurfewError('RELEASE_DAMAGED', { problem: `it has ${count} bytes, not ${size}` });
  if (hash.digest('hex') !== sha256) throw new CurfewError('RELEASE_DAMAGED', { problem: 'its SHA-256 is another' });
}

async function stored<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new CurfewError('DEVICE_STORAGE_FAILED', { file, detail: String(cause) }, { cause });
  }
}
