import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning } from './scratch.js';

const PREFIX = 'curfew-device-';
let made = 0;

/** Where the machine has its unified hierarchy (cgroups(7), version 2), or undefined. */
export function unifiedHierarchy(): string | undefined {
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [mount, fileSystem] = line.split(' - ');
    if (fileSystem?.startsWith('cgroup2 ') === true) return mount?.split(' ')[4];
  }
  return undefined;
}

/** A control group for the processes of one device. */
export class DeviceCgroup {
  private constructor(
    private readonly parent: string,
    private readonly folder: string,
  ) {}

  /** Makes one; those of test processes that were killed are removed on the way. */
  static make(): DeviceCgroup {
    const parent = unifiedHierarchy();
    if (parent === undefined) throw new Error('this machine has no unified control group hierarchy');
    for (const name of readdirSync(parent)) {
      const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
      if (owner !== undefined && !isRunning(Number(owner))) removeTree(join(parent, name));
    }
    const folder = join(parent, `${PREFIX}${process.pid}-${(made += 1)}`);
    mkdirSync(folder);
    return new DeviceCgroup(parent, folder);
  }

  /** What starts a program inside: its argument vector follows. */
  get enter(): string[] {
    return ['bash', '-c', 'echo $$ > "$0/cgroup.procs"; exec "$@"', this.folder];
  }

  /** Takes a process out. A group with a process of its own cannot hand controllers to its children. */
  release(pid: number): void {
    writeFileSync(join(this.parent, 'cgroup.procs'), String(pid));
  }

  /** Removes it. Its processes must have ended. */
  remove(): void {
    removeTree(this.folder);
  }
}

/** A group whose last process has just ended is busy for a moment; then the next test process removes it. */
function removeTree(folder: string): void {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      if (entry.isDirectory()) removeTree(join(folder, entry.name));
    rmdirSync(folder);
  } catch (error) {
    if (!['ENOENT', 'EBUSY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** The groups that this process has made and that are still there. */
export function cgroupsLeft(): string[] {
  const parent = unifiedHierarchy();
  if (parent === undefined) return [];
  return readdirSync(parent).filter((name) => name.startsWith(`${PREFIX}${process.pid}-`));
}
