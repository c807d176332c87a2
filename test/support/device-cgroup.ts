import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning } from './scratch.js';

const PREFIX = 'curfew-device-';
let made = 0;

/** A version of control groups (cgroups(7)): of the first one, the hierarchy that counts processes. */
export type CgroupVersion = 1 | 2;

const FILE_SYSTEMS = { 1: /^cgroup .*\bpids\b/, 2: /^cgroup2 / };

/** Where the machine has a hierarchy of the version, or undefined. */
export function cgroupHierarchy(version: CgroupVersion = 2): string | undefined {
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [mount, fileSystem = ''] = line.split(' - ');
    if (FILE_SYSTEMS[version].test(fileSystem)) return mount?.split(' ')[4];
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
  static make(version: CgroupVersion = 2): DeviceCgroup {
    const parent = cgroupHierarchy(version);
    if (parent === undefined) throw new Error(`this machine has no hierarchy of control groups of version ${version}`);
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

  /** What starts a program inside, where it does not hinder a first process that hands controllers to others. */
  get enterGuests(): string[] {
    const guests = join(this.folder, 'guests');
    mkdirSync(guests, { recursive: true });
    return ['bash', '-c', 'echo $$ > "$0/cgroup.procs"; exec "$@"', guests];
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
  const folders = ([1, 2] as const).map(cgroupHierarchy).filter((folder) => folder !== undefined);
  const names = folders.flatMap((folder) => readdirSync(folder));
  return names.filter((name) => name.startsWith(`${PREFIX}${process.pid}-`));
}
