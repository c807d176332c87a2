import { parseReleaseKeys, type Logger } from '@curfew/shared';
import { readFile, stat } from 'node:fs/promises';

type ReleaseKeys = ReturnType<typeof parseReleaseKeys>;

/**
 * The release keys in some files: those of the package, and those that root has added. A file that somebody else than root could
 * have written counts for nothing, and so does one that cannot be read. Empty where nothing is taken from the server.
 */
export async function readReleaseKeys(files: readonly string[], logger: Logger): Promise<ReleaseKeys> {
  const keys: ReleaseKeys = [];
  for (const file of files)
    try {
      const { uid, mode } = await stat(file);
      if (uid !== process.getuid?.() || (mode & 0o022) !== 0) throw new Error('others than root can write it');
      keys.push(...parseReleaseKeys(await readFile(file, 'utf8')));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') logger.warn('release keys are left out', { file, error });
    }
  return keys;
}
