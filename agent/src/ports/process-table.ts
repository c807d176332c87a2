/** A process at the moment of a look. Its id alone may be another process's by now: `start` tells them apart. */
export interface ProcessRow {
  readonly pid: number;
  readonly ppid: number;
  /** When it started, in clock ticks since the boot (proc_pid_stat(5), starttime). */
  readonly start: number;
  /** Its program's name as the kernel has it. Hostile text. */
  readonly name: string;
  /** Real, effective, saved and file system uid. */
  readonly uids: readonly number[];
  /** The file that it runs; '' when that cannot be read. */
  readonly program: string;
  /** Its control groups, a line for each hierarchy (cgroups(7)). */
  readonly cgroups: string;
  /** The uid of the logon that it came from; undefined when none is known. */
  readonly loginUid: number | undefined;
  /** SUDO_UID of its environment; undefined without one. */
  readonly sudoUid: number | undefined;
}

/** The processes of this machine. */
export interface ProcessTable {
  /** This moment as process starts are counted. */
  ticksNow(): number;
  /** Every process that is not dead yet and started no earlier than `since`. */
  startedSince(since: number): ProcessRow[];
  /** Sends a signal to that very process. Nothing happens when it is there no longer. */
  signal(process: Pick<ProcessRow, 'pid' | 'start'>, signal: 'SIGTERM' | 'SIGHUP' | 'SIGCONT' | 'SIGKILL'): void;
}

/** Control groups of sessions: a process cannot leave one by forking, nor by starting a session of its own. */
export interface SessionCgroups {
  /**
   * Puts a process into a group of the session below the one that it is in, so that the machine's own order of groups
   * stays. `still` says whether it is that very process; when it is not any more, it is put back. Gives the group's folder,
   * or undefined where no hierarchy can be written to.
   */
  place(pid: number, sessionId: string, still: () => boolean): string | undefined;
  /** Kills everything in a group at once, where the kernel can (cgroup.kill, cgroups version 2). */
  kill(folder: string): void;
  /** Removes a group that is empty; one that is not stays. */
  remove(folder: string): void;
}
