import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { constants, lstat, open, readdir, readlink, realpath } from 'node:fs/promises';
import path from 'node:path';
import type { LastingItem } from '../../../ports/lasting-power.js';
import type { WatchedPlace } from './watched-places.js';

/** Of one place this many files are taken: a folder that is stuffed must not stop the agent. */
const MOST_FILES = 5_000;
/** Folders below a place are followed so deep. */
const DEEPEST = 4;
/** Of a file that is longer only the size is compared. */
const LONGEST_READ_BYTES = 4 * 1024 * 1024;

/** What was last read of a file, good for as long as its inode says that nothing has changed. */
interface Known {
  readonly version: string;
  readonly state: string;
  readonly file: string;
}

/** Files as items: what they hold, who owns them, what they allow. What has not changed is not read again. */
export class FileItems {
  private known = new Map<string, Known>();

  /** The files of places. What is not there, or goes away meanwhile, is left out. */
  async read(places: readonly WatchedPlace[]): Promise<LastingItem[]> {
    const seen = new Map<string, Known>();
    const items: LastingItem[] = [];
    for (const place of places)
      for (const file of await filesOf(place)) {
        // What stands in several places is of the first one's kind.
        if (seen.has(file)) continue;
        const item = await this.item(file, place, seen);
        if (item !== undefined) items.push(item);
      }
    this.known = seen;
    return items;
  }

  private async item(file: string, place: WatchedPlace, seen: Map<string, Known>): Promise<LastingItem | undefined> {
    const stats = await lstat(file, { bigint: true }).catch(() => undefined);
    if (stats === undefined || stats.isDirectory()) return undefined;
    const version = [stats.dev, stats.ino, stats.size, stats.mode, stats.uid, stats.gid, stats.ctimeNs].join();
    const old = this.known.get(file);
    const known =
      old?.version === version ? old : { version, state: await stateOf(file, stats), file: await leadsTo(file, stats) };
    seen.set(file, known);
    const account = place.account === 'file name' ? path.basename(file) : place.account?.name;
    return {
      kind: place.kind,
      subject: file,
      state: known.state,
      weight: place.weight,
      changedAtMs: Number(stats.ctimeNs / 1_000_000n),
      file: known.file,
      ...(account !== undefined && { account }),
    };
  }
}

async function filesOf({ paths, deep = false }: WatchedPlace): Promise<string[]> {
  const files: string[] = [];
  const walk = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
    if (entries === undefined) {
      // No folder: the file itself. What is not there is left out later.
      if (depth === 0) files.push(folder);
      return;
    }
    for (const entry of entries) {
      if (files.length >= MOST_FILES) return;
      const one = path.join(folder, entry.name);
      if (!entry.isDirectory()) files.push(one);
      else if (deep && depth < DEEPEST) await walk(one, depth + 1);
    }
  };
  for (const one of paths) await walk(one, 0);
  return files;
}

/** A file's state as its item has it now; undefined when there is none. */
export async function fileState(file: string): Promise<string | undefined> {
  const stats = await lstat(file, { bigint: true }).catch(() => undefined);
  return stats === undefined || stats.isDirectory() ? undefined : stateOf(file, stats);
}

async function stateOf(file: string, stats: BigIntStats): Promise<string> {
  const mode = (stats.mode & 0o7777n).toString(8).padStart(4, '0');
  const rights = `mode ${mode}, owner ${stats.uid}:${stats.gid}`;
  if (stats.isSymbolicLink()) return `link to ${await readlink(file).catch(() => 'nothing')}`;
  if (!stats.isFile()) return `${rights}, no regular file`;
  return `${rights}, ${await digest(file, stats.size)}`;
}

async function digest(file: string, size: bigint): Promise<string> {
  if (size > LONGEST_READ_BYTES) return `${size} bytes`;
  // A device or a pipe that has taken the file's place must not hold the agent up.
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  if (handle === undefined) return 'unreadable';
  try {
    const content = await handle.readFile();
    return `sha256 ${createHash('sha256').update(content).digest('hex')}`;
  } catch {
    return 'unreadable';
  } finally {
    await handle.close();
  }
}

const leadsTo = (file: string, stats: BigIntStats): Promise<string> =>
  stats.isSymbolicLink() ? realpath(file).catch(() => file) : Promise.resolve(file);
