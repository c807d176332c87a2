import { CurfewError } from '@curfew/shared';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';

/** Puts a file in place whole or not at all, written through to the disk; the folder's DACL guards it. Errors: DEVICE_STORAGE_FAILED. */
export async function putJson(file: string, value: object): Promise<void> {
  const fresh = `${file}.new`;
  try {
    await mkdir(path.dirname(file), { recursive: true });
    const handle = await open(fresh, 'w', 0o600);
    try {
      await handle.writeFile(JSON.stringify(value));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, file);
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => undefined);
    throw new CurfewError('DEVICE_STORAGE_FAILED', { file, detail: String(error) }, { cause: error });
  }
}

/** For `catch`: what is not there is `value`; any other error stays one. */
export const ignoreMissing =
  <T>(value: T) =>
  (error: unknown): T => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return value;
    throw error;
  };
