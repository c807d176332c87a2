import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { SessionCgroups } from '../../ports/process-table.js';

/** A hierarchy of control groups: where it is mounted, and how its line in /proc/PID/cgroup begins. */
interface Hierarchy {
  readonly mount: string;
  readonly line: RegExp;
}

/** Version 1 controllers that hinder no process by having a group of their own for it. */
const V1_CONTROLLERS = ['freezer', 'pids'];

/** Control groups by the files of cgroups(7): version 2 where it is, else a hierarchy of version 1. */
export class LinuxSessionCgroups implements SessionCgroups {
  constructor(private readonly proc = '/proc') {}

  place(pid: number, sessionId: string, still: () => boolean): string | undefined {
    const group = `curfew-${sessionId}`;
    const own = readFileSync(path.join(this.proc, String(pid), 'cgroup'), 'utf8');
    for (const { mount, line } of this.hierarchies())
      try {
        const [, at] = line.exec(own) ?? [];
        // What lies outside of this process's own view of the hierarchy cannot be named.
        if (at === undefined || at.split('/').includes('..')) continue;
        const around = path.join(mount, at);
        if (at.split('/').includes(group)) return around;
        const folder = path.join(around, group);
        // Not with its parents: where the mount is hidden by another, Node would try to make them for ever.
        if (!existsSync(folder)) mkdirSync(folder, { mode: 0o755 });
        move(pid, folder);
        if (!still()) move(pid, around);
        return folder;
      } catch {
        // Read-only, or no control over it: perhaps the next one.
      }
    return undefined;
  }

  kill(folder: string): void {
    try {
      writeFileSync(path.join(folder, 'cgroup.kill'), '1', { flag: 'r+' });
    } catch {
      // Version 1, Linux before 5.14, or gone: each of its processes is killed by itself.
    }
  }

  remove(folder: string): void {
    try {
      for (const entry of readdirSync(folder, { withFileTypes: true }))
        if (entry.isDirectory()) this.remove(path.join(folder, entry.name));
      rmdirSync(folder);
    } catch {
      // Processes of it run on, or it has been removed.
    }
  }

  private hierarchies(): Hierarchy[] {
    const mounts = readFileSync(path.join(this.proc, 'self/mountinfo'), 'utf8')
      .split('\n')
      .map((line) => line.split(' - ').map((half) => half.split(' ')))
      .filter(([left]) => left?.[3] === '/');
    const at = (type: string, option?: string): string | undefined =>
      mounts.find(
        ([, right]) => right?.[0] === type && (option === undefined || right[2]?.split(',').includes(option)),
      )?.[0]?.[4];
    const found = [
      { mount: at('cgroup2'), line: /^0::(\/.*)$/m },
      ...V1_CONTROLLERS.map((name) => ({ mount: at('cgroup', name), line: new RegExp(`^\\d+:${name}:(/.*)$`, 'm') })),
    ];
    return found.flatMap(({ mount, line }) => (mount === undefined ? [] : [{ mount, line }]));
  }
}

const move = (pid: number, folder: string): void => {
  writeFileSync(path.join(folder, 'cgroup.procs'), String(pid), { flag: 'r+' });
};
