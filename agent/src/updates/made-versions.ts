import { isReleaseVersion } from '@curfew/shared';
import { lstat, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

/** What the launcher writes and reads beside the versions, and gives nobody any power. */
const PLAIN = new Set(['starts', 'bad']);
/** What names the version that runs. */
const POINTERS = new Set(['chosen', 'proved']);
const filesSchema = z.record(z.string(), z.string());

/**
 * Knows which files in the folder of versions the agent has put there itself, of a release whose signature it has checked. A file
 * is known by its inode and by when that was last changed: nobody sets that time without moving the clock, and no content has to
 * be read for it. Whoever is root can forge the note as well; this tells what happened, and keeps nobody out.
 */
export class MadeVersions {
  constructor(private readonly folder: string) {}

  /** Notes the files of a version, before they are in their place. A rename leaves them what they are. */
  async note(version: string, unpacked: string): Promise<void> {
    const files: Record<string, string> = {};
    for (const entry of await readdir(unpacked, { recursive: true, withFileTypes: true })) {
      if (entry.isDirectory()) continue;
      const file = path.join(entry.parentPath, entry.name);
      files[path.relative(unpacked, file)] = await identityOf(file);
    }
    await writeFile(this.noteFile(version), JSON.stringify(files), { mode: 0o600 });
  }

  /** Whether a file below the folder is the agent's or its launcher's own work, and as that was made. */
  async isOwn(file: string): Promise<boolean> {
    const [first = '', ...rest] = path.relative(this.folder, file).split(path.sep);
    if (first === '' || first === '..' || path.isAbsolute(first)) return false;
    // What has a dot in front is never run: it is on its way, or a note.
    if (first.startsWith('.') || (rest.length === 0 && PLAIN.has(first))) return true;
    if (rest.length === 0)
      return (
        POINTERS.has(first) && (await this.files((await readFile(file, 'utf8').catch(() => '')).trim())) !== undefined
      );
    const known = (await this.files(first))?.[path.join(...rest)];
    return known !== undefined && known === (await identityOf(file).catch(() => ''));
  }

  private async files(version: string): Promise<Readonly<Record<string, string>> | undefined> {
    if (!isReleaseVersion(version)) return undefined;
    try {
      return filesSchema.parse(JSON.parse(await readFile(this.noteFile(version), 'utf8')));
    } catch {
      return undefined;
    }
  }

  private noteFile(version: string): string {
    return path.join(this.folder, `.made-${version}`);
  }
}

async function identityOf(file: string): Promise<string> {
  const { ino, size, mode, uid, gid, ctimeNs } = await lstat(file, { bigint: true });
  return [ino, size, mode, uid, gid, ctimeNs].join(' ');
}
