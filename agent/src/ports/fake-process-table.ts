import type { ProcessRow, ProcessTable, SessionCgroups } from './process-table.js';

type Signal = Parameters<ProcessTable['signal']>[1];

/** What a process does when it is sent a signal: ends with any, with KILL alone, or never. */
export type Temper = 'mild' | 'deaf' | 'stuck';

/** Processes and control groups in memory. A kill ends a process at once. */
export class FakeProcessTable implements ProcessTable, SessionCgroups {
  /** Every signal that was sent to a process that was there: 'pid SIGNAL'. */
  readonly signals: string[] = [];
  /** Which control groups were made, killed and removed, in words. */
  readonly groups: string[] = [];
  /** Whether there are control groups at all. */
  hasCgroups = true;
  now = 1000;
  private readonly processes = new Map<number, { row: ProcessRow; temper: Temper }>();

  /** Starts a process, in the place of an earlier one with its id. */
  add(pid: number, change: Partial<ProcessRow> = {}, temper: Temper = 'mild'): ProcessRow {
    const row = {
      pid,
      ppid: 1,
      start: this.now,
      name: `name${pid}`,
      uids: [0, 0, 0, 0],
      program: '/usr/bin/sleep',
      cgroups: '0::/\n',
      loginUid: undefined,
      sudoUid: undefined,
      ...change,
    };
    this.processes.set(pid, { row, temper });
    return row;
  }

  end(pid: number): void {
    this.processes.delete(pid);
  }

  get alive(): number[] {
    return [...this.processes.keys()];
  }

  ticksNow(): number {
    return this.now;
  }

  startedSince(since: number): ProcessRow[] {
    return [...this.processes.values()].map(({ row }) => row).filter(({ start }) => start >= since);
  }

  signal({ pid, start }: Pick<ProcessRow, 'pid' | 'start'>, signal: Signal): void {
    const found = this.processes.get(pid);
    if (found?.row.start !== start) return;
    this.signals.push(`${pid} ${signal}`);
    if (found.temper === 'mild' ? signal !== 'SIGCONT' : found.temper === 'deaf' && signal === 'SIGKILL') this.end(pid);
  }

  place(pid: number, sessionId: string, still: () => boolean): string | undefined {
    const found = this.processes.get(pid);
    if (!this.hasCgroups || found === undefined || !still()) return undefined;
    const folder = `/curfew-${sessionId}`;
    this.processes.set(pid, { ...found, row: { ...found.row, cgroups: `0::${folder}\n` } });
    this.groups.push(`placed ${pid}`);
    return folder;
  }

  kill(folder: string): void {
    this.groups.push(`killed ${folder}`);
    for (const { row, temper } of [...this.processes.values()])
      if (row.cgroups.includes(folder) && temper !== 'stuck') this.end(row.pid);
  }

  remove(folder: string): void {
    this.groups.push(`removed ${folder}`);
  }
}
