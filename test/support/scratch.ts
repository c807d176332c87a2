import { accessSync, constants, mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A fresh folder below the system's temporary folder, 0700. The caller removes it. */
export function scratchFolder(purpose: string): string {
  mkdirSync(tmpdir(), { recursive: true });
  return mkdtempSync(join(tmpdir(), `curfew-${purpose}-`));
}

/** The kernel's magic number of tmpfs (linux/magic.h). */
const TMPFS = 0x01021994;

const LAYERS = 'curfew-device-';

/** Folders of this process that are not to outlive it. */
const live = new Set<string>();

process.on('exit', () => {
  for (const folder of live) rmSync(folder, { recursive: true, force: true });
});

/**
 * A fresh folder for the writable layers of a device: on a memory file system where there is one, since a layer of an
 * overlay may not itself be an overlay, as it would be inside a container. Removed by `removeLayerFolder`, at the end
 * of this process, or by the next process that needs one when this one was killed.
 */
export function layerFolder(): string {
  const folder = ownedFolder(memoryFolder() ?? tmpdir(), LAYERS);
  live.add(folder);
  return folder;
}

/** A folder on a memory file system; undefined where there is none. */
export const memoryFolder = (): string | undefined => ['/dev/shm', '/run'].find(isWritableMemory);

/** A fresh folder whose name says which process it is of; those of processes that were killed are removed on the way. */
export function ownedFolder(parent: string, prefix: string): string {
  for (const name of readdirSync(parent)) {
    const owner = name.startsWith(prefix) ? /^(\d+)-/.exec(name.slice(prefix.length))?.[1] : undefined;
    if (owner !== undefined && !isRunning(Number(owner))) rmSync(join(parent, name), { recursive: true, force: true });
  }
  return mkdtempSync(join(parent, `${prefix}${process.pid}-`));
}

/** Removes what `layerFolder` gave. */
export function removeLayerFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  live.delete(folder);
}

function isWritableMemory(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return statfsSync(folder).type === TMPFS;
  } catch {
    return false;
  }
}

/** Whether there is a process of this id. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
