import { CurfewError } from '@curfew/shared';
import { createReadStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { createGunzip } from 'node:zlib';

const BLOCK = 512;
/** What an archive may hold at the most. */
const MOST_FILES = 5_000;
const MOST_BYTES = 1024 * 1024 * 1024;
/** Plain names, with no way out of the folder: 'a/b-1.0/c.js'. */
const NAME = /^[A-Za-z0-9@_+-][A-Za-z0-9@._+-]*(\/[A-Za-z0-9@_+-][A-Za-z0-9@._+-]*)*$/;

/** What a header says of a file. */
interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
  readonly mode: number;
  readonly size: number;
}

const unsafe = (problem: string): CurfewError => new CurfewError('RELEASE_UNSAFE', { problem });

/**
 * Unpacks a gzip'ed tar archive (POSIX ustar) into a fresh folder. Files and folders with plain names are all that it may
 * hold: no link, no device, nothing twice, no mode but 0644 and 0755, nothing that leads out of the folder. Each file is on the
 * disk for good when this has resolved. Errors: RELEASE_UNSAFE, DEVICE_STORAGE_FAILED; what was unpacked is left to the caller.
 */
export async function unpackArchive(archive: string, folder: string): Promise<void> {
  await stored(folder, () => mkdir(folder, { mode: 0o700 }));
  const bytes = new ByteSource(createReadStream(archive).pipe(createGunzip()));
  const seen = new Set<string>();
  let total = 0;
  for (;;) {
    const header = await bytes.take(BLOCK);
    if (header.every((byte) => byte === 0)) return;
    const entry = readHeader(header);
    const { name, isFolder, mode, size } = entry;
    total += size;
    if (seen.has(name) || seen.size >= MOST_FILES || total > MOST_BYTES)
      throw unsafe(`it holds too much, or ${name} twice`);
    seen.add(name);
    const place = path.join(folder, name);
    if (isFolder) {
      await stored(place, () => mkdir(place, { recursive: true, mode: 0o755 }));
      continue;
    }
    await stored(place, () => mkdir(path.dirname(place), { recursive: true, mode: 0o755 }));
    await writeEntry(bytes, place, mode, size);
    await bytes.take((BLOCK - (size % BLOCK)) % BLOCK);
  }
}

async function writeEntry(bytes: ByteSource, place: string, mode: number, size: number): Promise<void> {
  // 'wx': what is there already is not written through, whatever it is.
  const handle = await stored(place, () => open(place, 'wx', mode));
  try {
    for (let left = size; left > 0;) {
      const piece = await bytes.upTo(left);
      left -= piece.length;
      await stored(place, () => handle.write(piece));
    }
    await stored(place, async () => {
      await handle.chmod(mode);
      await handle.sync();
    });
  } finally {
    await handle.close();
  }
}

async function stored<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw unsafe(`${file} comes twice`);
    throw new CurfewError('DEVICE_STORAGE_FAILED', { file, detail: String(cause) }, { cause });
  }
}

/** Reads a header block. Errors: RELEASE_UNSAFE. */
function readHeader(header: Buffer): Entry {
  const sum = header.reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  if (octal(header, 148, 8) !== sum || header.toString('latin1', 257, 262) !== 'ustar')
    throw unsafe('it is no tar archive');
  const prefix = text(header, 345, 155);
  const whole = `${prefix === '' ? '' : `${prefix}/`}${text(header, 0, 100)}`;
  const type = header.toString('latin1', 156, 157);
  const isFolder = type === '5';
  const name = isFolder ? whole.replace(/\/$/, '') : whole;
  if (type !== '0' && !isFolder) throw unsafe(`${JSON.stringify(name)} is neither a file nor a folder`);
  if (!NAME.test(name) || name.length > 240) throw unsafe(`${JSON.stringify(name)} is no name that is taken`);
  const [mode, size] = [octal(header, 100, 8), octal(header, 124, 12)];
  if (mode !== 0o755 && (isFolder || mode !== 0o644)) throw unsafe(`${name} has the mode ${mode.toString(8)}`);
  if (isFolder && size !== 0) throw unsafe(`${name} is a folder with content`);
  return { name, isFolder, mode, size };
}

const text = (header: Buffer, at: number, length: number): string =>
  header.toString('latin1', at, at + length).replace(/\0[^]*$/, '');

function octal(header: Buffer, at: number, length: number): number {
  const digits = text(header, at, length).trim();
  if (!/^[0-7]{1,11}$/.test(digits)) throw unsafe('it has a number that is none');
  return Number.parseInt(digits, 8);
}

/** Takes bytes from a stream as they are needed. */
class ByteSource {
  private readonly pieces: AsyncIterator<Buffer>;
  private rest: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Buffer>) {
    this.pieces = stream[Symbol.asyncIterator]();
  }

  /** Exactly so many bytes. Errors: RELEASE_UNSAFE when there are fewer. */
  async take(count: number): Promise<Buffer> {
    const taken: Buffer[] = [];
    for (let left = count; left > 0;) {
      const piece = await this.upTo(left);
      taken.push(piece);
      left -= piece.length;
    }
    return Buffer.concat(taken);
  }

  /** Some bytes, at most so many. Errors: RELEASE_UNSAFE when there are no more. */
  async upTo(most: number): Promise<Buffer> {
    while (this.rest.length === 0) {
      const next = await this.pieces.next().catch((cause: unknown) => {
        throw unsafe(`it cannot be read: ${String(cause)}`);
      });
      if (next.done === true) throw unsafe('it ends too early');
      this.rest = next.value;
    }
    const piece = this.rest.subarray(0, most);
    this.rest = this.rest.subarray(piece.length);
    return piece;
  }
}
