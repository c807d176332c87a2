import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { constants, lstat, open, opendir, readlink } from 'node:fs/promises';
import path from 'node:path';
import type { LastingItem } from '../../../ports/lasting-power.js';
import { LocalPlaces } from '../local-places.js';
import type { WatchedPlace } from './watched-places.js';

/** Of one place so much is looked at and so much is read: a folder that is stuffed must not stop the agent. */
const MOST = { entries: 5_000, bytes: 256 * 1024 * 1024 };
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

  constructor(
    private readonly most = MOST,
    private readonly places = () => LocalPlaces.now(),
  ) {}

  /** The files of places. What is not there, or goes away meanwhile, is left out. */
  async read(places: readonly WatchedPlace[]): Promise<LastingItem[]> {
    const seen = new Map<string, Known>();
    const items: LastingItem[] = [];
    const local = await this.places();
    for (const place of places) {
      let left = this.most.bytes;
      for (const file of await filesOf(place, this.most.entries)) {
        // What stands in several places is of the first one's kind.
        if (seen.has(file)) continue;
        if (place.longestBytes !== undefined && (await local.resolve(path.dirname(file))) === undefined) continue;
        const stats = await lstat(file, { bigint: true }).catch(() => undefined);
        if (stats === undefined || stats.isDirectory()) continue;
        const longest = Math.min(place.longestBytes ?? LONGEST_READ_BYTES, left);
        // What was read before counts as well: whether a file is read must not depend on that.
        if (stats.size <= longest) left -= Number(stats.size);
        items.push(await this.item(file, stats, longest, place, seen, local));
      }
    }
    this.known = seen;
    return items;
  }

  private async item(
    file: string,
    stats: BigIntStats,
    longest: number,
    place: WatchedPlace,
    seen: Map<string, Known>,
    local: LocalPlaces,
  ): Promise<LastingItem> {
    const { dev, ino, size, mode, uid, gid, ctimeNs } = stats;
    const version = [dev, ino, size, mode, uid, gid, ctimeNs, size <= longest].join();
    const old = this.known.get(file);
    const known =
      old?.version === version
        ? old
        : { version, state: await stateOf(file, stats, longest), file: await leadsTo(file, stats, local) };
    seen.set(file, known);
    const account = place.account === 'file name' ? path.basename(file) : place.account?.name;
    return {
      kind: place.kind,
      subject: file,
      state: known.state,
      weight: place.weight,
      changedAtMs: Number(ctimeNs / 1_000_000n),
      file: known.file,
      ...(account !== undefined && { account }),
    };
  }
}

async function filesOf(
  { paths, deep = false, longestBytes }: WatchedPlace,
  mostEntries: number,
): Promise<readonly string[]> {
  if (longestBytes !== undefined) return paths;
  const files: string[] = [];
  let left = mostEntries;
  const walk = async (folder: string, depth: number): Promise<void> => {
    const entries = await opendir(folder).catch(() => undefined);
    if (entries === undefined) {
      // No folder: the file itself. What is not there is left out later.
      if (depth === 0) files.push(folder);
      return;
    }
    const inside: string[] = [];
    try {
      for await (const entry of entries) {
        left -= 1;
        if (left < 0) break;
        const one = path.join(folder, entry.name);
        if (!entry.isDirectory()) files.push(one);
        else if (deep && depth < DEEPEST) inside.push(one);
      }
    } catch {
      // What could be read of it counts.
    }
    for (const one of inside) await walk(one, depth + 1);
  };
  for (const one of paths) await walk(one, 0);
  return files;
}

/** A file's state as its item has it now; undefined when there is none. */
export async function fileState(file: string): Promise<string | undefined> {
  const stats = await lstat(file, { bigint: true }).catch(() => undefined);
  return stats === undefined || stats.isDirectory() ? undefined : stateOf(file, stats, LONGEST_READ_BYTES);
}

async function stateOf(file: string, stats: BigIntStats, longest: number): Promise<string> {
  const mode = (stats.mode & 0o7777n).toString(8).padStart(4, '0');
  const rights = `mode ${mode}, owner ${stats.uid}:${stats.gid}`;
  if (stats.isSymbolicLink()) return `link to ${await readlink(file).catch(() => 'nothing')}`;
  if (!stats.isFile()) return `${rights}, no regular file`;
  return `${rights}, ${await digest(file, stats.size, longest)}`;
}

async function digest(file: string, size: bigint, longest: number): Promise<string> {
  if (size > longest) return `${size} bytes`;
  // A device or a pipe that has taken the file's place must not hold the agent up.
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  if (handle === undefined) return 'unreadable';
  try {
    const hash = createHash('sha256');
    // A longer one that has taken its place, or that grows while it is read, is read no further.
    for await (const chunk of handle.createReadStream({ end: longest, autoClose: false })) hash.update(chunk as Buffer);
    return `sha256 ${hash.digest('hex')}`;
  } catch {
    return 'unreadable';
  } finally {
    await handle.close();
  }
}

/** The file that a link leads to, if it is there; the file itself otherwise. */
async function leadsTo(file: string, stats: BigIntStats, local: LocalPlaces): Promise<string> {
  const real = stats.isSymbolicLink() ? await local.resolve(file) : undefined;
  if (real === undefined) return file;
  return lstat(real).then(
    () => real,
    () => file,
  );
}
