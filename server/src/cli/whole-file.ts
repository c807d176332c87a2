import { CurfewError } from '@curfew/shared/cli';
import { once } from 'node:events';
import { createWriteStream, renameSync, rmSync } from 'node:fs';

/** Writes a part of a file; resolves when there is room for the next. */
export type WritePart = (part: string | Uint8Array) => Promise<void>;

/** Writes a file for its owner only: it is there whole, or not at all. Errors: FIELD_INVALID, those of the work. */
export async function writeWholeFile<T>(file: string, work: (write: WritePart) => Promise<T>): Promise<T> {
  const fresh = `${file}.${process.pid}.new`;
  const stream = createWriteStream(fresh, { mode: 0o600, flags: 'wx' });
  // A disk that fills up later fails the next wait.
  const failed = new Promise<never>((_, reject) => stream.once('error', (error) => reject(unwritable(file, error))));
  failed.catch(() => undefined);
  const until = (event: string): Promise<unknown> => Promise.race([once(stream, event), failed]);
  try {
    await until('open');
    const result = await work(async (part) => {
      if (!stream.write(part)) await until('drain');
    });
    stream.end();
    await until('finish');
    renameSync(fresh, file);
    return result;
  } catch (error) {
    stream.destroy();
    rmSync(fresh, { force: true });
    throw error;
  }
}

const unwritable = (file: string, cause: NodeJS.ErrnoException): CurfewError =>
  new CurfewError(
    'FIELD_INVALID',
    { field: 'file', problem: `${file} cannot be written: ${cause.code ?? 'unknown'}` },
    { cause },
  );
