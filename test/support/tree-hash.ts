import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Every entry below `root`: path relative to it → kind, mode, owner and a hash of its content (or a link's target). What goes
 * while it is looked at is not there.
 */
export async function treeEntries(root: string): Promise<Map<string, string>> {
  const entries = new Map<string, string>();
  const visit = async (path: string): Promise<void> => {
    try {
      await look(path);
    } catch (error) {
      if (path === '' || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      entries.delete(path);
    }
  };
  const look = async (path: string): Promise<void> => {
    const full = join(root, path);
    const stat = await lstat(full);
    const owner = `${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid}`;
    if (stat.isDirectory()) {
      entries.set(path, `directory ${owner}`);
      for (const name of (await readdir(full)).sort()) await visit(join(path, name));
    } else if (stat.isSymbolicLink()) {
      entries.set(path, `link ${owner} ${await readlink(full)}`);
    } else if (stat.isFile()) {
      entries.set(
        path,
        `file ${owner} ${createHash('sha256')
          .update(await readFile(full))
          .digest('hex')}`,
      );
    } else {
      entries.set(path, `special ${owner}`);
    }
  };
  await visit('');
  return entries;
}

/** One hash over `treeEntries`: the same for two trees exactly when content, modes, owners and names are. */
export async function treeHash(root: string): Promise<string> {
  const hash = createHash('sha256');
  for (const [path, entry] of await treeEntries(root)) hash.update(`${path}\0${entry}\n`);
  return hash.digest('hex');
}
