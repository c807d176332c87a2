import koffi from 'koffi';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { ProcessRow, ProcessTable } from '../../ports/process-table.js';

/** System calls, by numbers that are the same on every architecture since Linux 5.3 (pidfd_open(2), pidfd_send_signal(2)). */
const [PIDFD_SEND_SIGNAL, PIDFD_OPEN] = [424, 434];
const SIGNALS = { SIGHUP: 1, SIGKILL: 9, SIGTERM: 15, SIGCONT: 18 } as const;
const CLOCK_BOOTTIME = 7;
/** What /proc counts in (proc_pid_stat(5); USER_HZ is 100 for every program). */
const TICKS_PER_SECOND = 100;
const UNSET_LOGIN = 2 ** 32 - 1;

koffi.struct('timespec_t', { tv_sec: 'long', tv_nsec: 'long' });
const libc = koffi.load(null);
const clockGettime = libc.func('int clock_gettime(int clock, _Out_ timespec_t *time)') as (
  clock: number,
  time: object,
) => number;
const syscall = libc.func('long syscall(long number, long a, long b, long c, long d)') as (
  ...args: readonly number[]
) => number;
const close = libc.func('int close(int fd)') as (fd: number) => number;

/** What /proc says of a process beside its name; undefined when it is gone or dead. */
export function processStat(pid: number): { ppid: number; start: number; name: string } | undefined {
  const text = readProc(pid, 'stat');
  // The name is in parentheses, and may have some of its own.
  const nameEnd = text.lastIndexOf(')');
  const [state = 'X', ppid, ...rest] = text.slice(nameEnd + 2).split(' ');
  if (nameEnd < 0 || /[ZXx]/.test(state)) return undefined;
  return { ppid: Number(ppid), start: Number(rest[17]), name: text.slice(text.indexOf('(') + 1, nameEnd) };
}

/** Real, effective, saved and file system uid of a process. */
export function processUids(pid: number): number[] {
  const [, uids = ''] = /^Uid:\t(.*)$/m.exec(readProc(pid, 'status')) ?? [];
  return uids.split('\t').map(Number);
}

/** The file that a process runs; '' when that cannot be read. */
export function processProgram(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return '';
  }
}

/** The processes in /proc. */
export const linuxProcessTable: ProcessTable = {
  ticksNow: () => {
    const time: { tv_sec?: number; tv_nsec?: number } = {};
    if (clockGettime(CLOCK_BOOTTIME, time) !== 0) throw new Error('the boot clock cannot be read');
    const { tv_sec: seconds = 0, tv_nsec: nanoseconds = 0 } = time;
    return seconds * TICKS_PER_SECOND + Math.floor(nanoseconds / (1e9 / TICKS_PER_SECOND));
  },
  startedSince: (since) => processIds().flatMap((pid) => rowOf(pid, since) ?? []),
  signal: ({ pid, start }, signal) => {
    const fd = syscall(PIDFD_OPEN, pid, 0, 0, 0);
    try {
      // Looked at while it is held: its id cannot become another's between the look and the signal.
      if (processStat(pid)?.start !== start) return;
      if (fd >= 0) syscall(PIDFD_SEND_SIGNAL, fd, SIGNALS[signal], 0, 0);
      else process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    } finally {
      if (fd >= 0) close(fd);
    }
  },
};

/** The ids of all processes, the newest likely first. */
export const processIds = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .reverse();

function rowOf(pid: number, since: number): ProcessRow | undefined {
  const stat = processStat(pid);
  if (stat === undefined || stat.start < since) return undefined;
  const uids = processUids(pid);
  const [, sudoUid] = /(?:^|\0)SUDO_UID=(\d+)\0/.exec(readProc(pid, 'environ')) ?? [];
  const loginUid = Number(readProc(pid, 'loginuid') || UNSET_LOGIN);
  const row = {
    pid,
    ...stat,
    uids,
    program: processProgram(pid),
    cgroups: readProc(pid, 'cgroup'),
    loginUid: loginUid === UNSET_LOGIN ? undefined : loginUid,
    sudoUid: sudoUid === undefined ? undefined : Number(sudoUid),
  };
  // What was read may be of two processes when one ended and its id was given away meanwhile.
  return processStat(pid)?.start === stat.start ? row : undefined;
}

/** A file of a process in /proc; '' when it cannot be read, as when the process is gone. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}
