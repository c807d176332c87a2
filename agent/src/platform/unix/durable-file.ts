import { CurfewError } from '@curfew/shared';
import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';

/** Where a file stands before it takes its place. A name with a dot in front is read by nobody: neither sudo nor systemd nor the sweep at boot. */
export const freshFile = (file: string): string => path.join(path.dirname(file), `.${path.basename(file)}`);

/**
 * Puts a file in place whole and for good, or not at all: it survives a power cut once this has resolved. `check` is
 * given the path of the new file before it takes its place; when it throws, nothing is left. Errors: those of `check`,
 * DEVICE_STORAGE_FAILED.
 */
export async function putFile(
  file: string,
  text: string,
  mode: number,
  check: (fresh: string) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const fresh = freshFile(file);
  try {
    await rm(fresh, { force: true });
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const handle = await open(fresh, flags, mode);
    try {
      await handle.writeFile(text);
      await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await check(fresh);
    await rename(fresh, file);
    await syncFolder(path.dirname(file));
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => undefined);
    if (error instanceof CurfewError) throw error;
    throw new CurfewError('DEVICE_STORAGE_FAILED', { file, detail: String(error) }, { cause: error });
  }
}

/** Makes names that were made or taken away in a folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** For `catch`: what is not there is `value`; any other error stays one. */
export const ignoreMissing =
  <T>(value: T) =>
  (error: unknown): T => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return value;
    throw error;
  };
