import { readdirSync, readFileSync } from 'node:fs';
import type { Device } from './device.js';
import type { DeviceProcess } from './device-process.js';
import {
  FILE_CALLS,
  isWatched,
  slowFlushes,
  tracedCall,
  type Fault,
  type FileCall,
  type WatchedPaths,
} from './strace-faults.js';
import { eventually } from './wait.js';

/** An operation of a running program on files, counted from the moment when strace was put on it. */
export interface FilePoint {
  readonly call: FileCall;
  readonly path: string;
  /** The how manieth such call on this path it is, from 1. */
  readonly nth: number;
  /** Where its thread stands among the program's threads, and the how manieth such call of that thread it is. */
  readonly thread: number;
  readonly nthOfThread: number;
}

/** The start of the n-th process: what it does, it does without the program that started it. */
export interface StartPoint {
  readonly call: 'clone';
  readonly nth: number;
}

export type RunningPoint = FilePoint | StartPoint;

/** How a point reads in a message. */
export const nameOf = (point: RunningPoint): string =>
  `${point.call} ${'path' in point ? `${point.path} ` : ''}#${point.nth}`;

/**
 * strace on the threads that a program of a device has at the moment, and on none of its children: their own file
 * operations are not the program's. Node wants a thread pool of one (UV_THREADPOOL_SIZE=1), see `FaultPoint`.
 */
export class AttachedStrace {
  /** How much had been traced when it was last asked whether all is quiet. */
  private seen = -1;

  private constructor(
    private readonly strace: DeviceProcess,
    private readonly threads: readonly string[],
  ) {}

  /** Writes down what the program does to files from now on. */
  static trace(device: Device, pid: number): Promise<AttachedStrace> {
    return AttachedStrace.attach(device, threadsOf(pid), [
      '-y',
      '-s',
      '4',
      '-e',
      `trace=${[...FILE_CALLS, 'clone'].join(',')}`,
    ]);
  }

  /**
   * Lets `fault` strike once, when the program comes to `point`. `path` is the point's path this time; unset when it
   * cannot be known before, then the calls of the thread are counted.
   */
  static strike(
    device: Device,
    pid: number,
    point: RunningPoint,
    path: string | undefined,
    fault: Fault,
  ): Promise<AttachedStrace> {
    const effect = fault === 'SIGKILL' ? 'signal=SIGKILL' : `error=${fault}`;
    const inject = (nth: number): string[] => [
      '-y',
      '-e',
      `trace=${point.call}`,
      '-e',
      `inject=${point.call}:${effect}:when=${nth}`,
    ];
    const threads = threadsOf(pid);
    if (!('path' in point)) return AttachedStrace.attach(device, threads, inject(point.nth));
    if (path !== undefined) return AttachedStrace.attach(device, threads, ['-P', path, ...inject(point.nth)]);
    return AttachedStrace.attach(device, [threads[point.thread]!], inject(point.nthOfThread));
  }

  /** Holds the program's first thread up once, for so long, when it next opens the file: its event loop stands still. */
  static block(device: Device, pid: number, path: string, forMs: number): Promise<AttachedStrace> {
    const inject = ['-P', path, '-e', 'trace=openat', '-e', `inject=openat:delay_enter=${forMs * 1000}:when=1`];
    return AttachedStrace.attach(device, threadsOf(pid).slice(0, 1), inject);
  }

  /** Lets every flush of the program to a disk take so much longer. */
  static slowFlushes(device: Device, pid: number, byMs: number): Promise<AttachedStrace> {
    return AttachedStrace.attach(device, threadsOf(pid), slowFlushes(byMs));
  }

  /** What has been traced so far, as points, in the order in which they were passed. */
  points(watched: WatchedPaths): RunningPoint[] {
    const lines = this.traced.split('\n');
    // Opening a file to read it changes nothing; opening a folder is a part of making its entries durable.
    const synced = new Set(lines.map((line) => /\bfsync\(\d+<(.*)>/.exec(line)?.[1]));
    const counts = new Map<string, number>();
    const count = (what: string): number => {
      const next = (counts.get(what) ?? 0) + 1;
      counts.set(what, next);
      return next;
    };
    return lines.flatMap((line): RunningPoint[] => {
      if (/^(?:\d+ +)?clone\((?!.*CLONE_THREAD)/.test(line)) return [{ call: 'clone', nth: count('clone') }];
      const traced = tracedCall(line);
      if (traced === undefined) return [];
      const { call, path, changing } = traced;
      const nthOfThread = count(`${traced.thread} ${call}`);
      if (!isWatched(path, watched) || !(changing || synced.has(path))) return [];
      const thread = this.threads.indexOf(traced.thread);
      return [{ call, path, nth: count(`${call} ${path}`), thread, nthOfThread }];
    });
  }

  /** Whether an injected error has struck, or what was to be held up goes on. */
  get struck(): boolean {
    return /\((INJECTED|DELAYED)\)/.test(this.strace.stderr);
  }

  /** The path of the call that an injected error has struck; undefined as long as none has. */
  get struckPath(): string | undefined {
    const line = this.traced.split('\n').find((one) => one.includes('(INJECTED)'));
    return line === undefined ? undefined : tracedCall(line)?.path;
  }

  /** The how manieth call of a kind, from 1, was the first one about such a path, of those that were traced. */
  firstAt(call: FileCall, isSuch: (path: string) => boolean): number | undefined {
    const own = this.traced.split('\n').filter((line) => new RegExp(`^(?:\\d+ +)?${call}\\(`).test(line));
    const at = own.findIndex((line) => isSuch(tracedCall(line)?.path ?? ''));
    return at < 0 ? undefined : at + 1;
  }

  /** Whether no point has been passed since the last call; true at the earliest on the second. */
  isQuiet(watched: WatchedPaths): boolean {
    const before = this.seen;
    this.seen = this.points(watched).length;
    return before === this.seen;
  }

  /** Lets the program go on by itself; fine when it has ended. */
  async detach(): Promise<void> {
    await this.strace.stop('SIGTERM');
  }

  private get traced(): string {
    return this.strace.stderr.replace(/^\[pid +(\d+)\] /gm, '$1 ');
  }

  private static async attach(
    device: Device,
    threads: readonly string[],
    args: readonly string[],
  ): Promise<AttachedStrace> {
    const strace = device.spawn(['strace', ...args, ...threads.flatMap((thread) => ['-p', thread])]);
    await eventually(
      () => {
        if (strace.end !== undefined) throw new Error(`strace ended: ${strace.output}`);
        return (strace.stderr.match(/ attached$/gm) ?? []).length >= threads.length;
      },
      { withinMs: 30_000, everyMs: 2, what: `strace on ${threads.length} threads` },
    );
    return new AttachedStrace(strace, threads);
  }
}

/** The threads of a process, oldest first, as its own device counts them. `pid` is the machine's number of it. */
function threadsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1');
    return /^NSpid:.*\s(\d+)$/m.exec(status)?.[1] ?? thread;
  });
}
