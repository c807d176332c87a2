import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from './scratch.js';
import { captureTool, type ToolResult } from './tool.js';

/** The system calls by which a program changes files (strace(1) names). */
export const FILE_CALLS = [
  'openat',
  'write',
  'pwrite64',
  'fsync',
  'fdatasync',
  'rename',
  'renameat2',
  'unlink',
  'unlinkat',
  'ftruncate',
  'truncate',
  'mkdir',
  'rmdir',
  'link',
  'symlink',
  'chmod',
  'fchmod',
  'chown',
  'fchown',
] as const;

export type FileCall = (typeof FILE_CALLS)[number];

/**
 * One point of a run at which a fault can strike: the n-th (from 1) such call of one thread on one path. strace counts
 * each thread's calls apart and strikes whichever comes first, hence a path and, for Node, a thread pool of one.
 */
export interface FaultPoint {
  readonly call: FileCall;
  readonly path: string;
  readonly nth: number;
}

/** What strikes: the process dies before the call takes effect, or the call fails. */
export type Fault = 'SIGKILL' | 'ENOSPC' | 'EIO' | 'EROFS';

/** Files, and folders with everything below them, that are watched; the program must name them by absolute paths. */
export type WatchedPaths = readonly string[];

const ONE_POOL_THREAD = ['-E', 'UV_THREADPOOL_SIZE=1'];

/** What makes strace strike with `fault` at `point`. */
export function injection(point: FaultPoint, fault: Fault): string[] {
  const effect = fault === 'SIGKILL' ? 'signal=SIGKILL' : `error=${fault}`;
  const inject = `inject=${point.call}:${effect}:when=${point.nth}`;
  return ['-P', point.path, '-e', `trace=${point.call}`, '-e', inject];
}

/** strace and its arguments in front of a program, so that `fault` strikes at `point`. */
export function withFault(argv: readonly string[], point: FaultPoint, fault: Fault): string[] {
  return ['strace', '-f', '-qq', ...ONE_POOL_THREAD, '-o', '/dev/null', ...injection(point, fault), '--', ...argv];
}

/** strace and its arguments in front of a program, so that its calls on files are written to `file`. */
export function withTrace(argv: readonly string[], file: string): string[] {
  const trace = `trace=${FILE_CALLS.join(',')}`;
  return ['strace', '-f', '-qq', '-y', ...ONE_POOL_THREAD, '-s', '4', '-o', file, '-e', trace, '--', ...argv];
}

/** The calls on a file that is open; the others name it. */
const ON_OPEN: readonly FileCall[] = ['write', 'pwrite64', 'fsync', 'fdatasync', 'ftruncate', 'fchmod', 'fchown'];

/** The path that a call of a trace is about; of the two of a rename, the old one. */
function pathOf(call: FileCall, args: string): string | undefined {
  const folder = /^(?:\d+|AT_FDCWD)<([^>]*)>/.exec(args)?.[1];
  if (ON_OPEN.includes(call)) return folder;
  const name = /^(?:(?:\d+|AT_FDCWD)<[^>]*>, )?"([^"]*)"/.exec(args)?.[1];
  return name === undefined || name.startsWith('/') ? name : join(folder ?? '/', name);
}

/** A call on a file, as one line of a trace has it. */
export interface TracedCall {
  /** The thread's id; '' when the program has only one. */
  readonly thread: string;
  readonly call: FileCall;
  readonly path: string;
  /** Whether it changes the file, or opens it to do so. */
  readonly changing: boolean;
}

/** Reads a line of a trace; undefined when it is no call on a file. */
export function tracedCall(line: string): TracedCall | undefined {
  const [, thread = '', name, args] = /^(?:(\d+) +)?([a-z0-9]+)\((.*)/.exec(line) ?? [];
  const call = FILE_CALLS.find((known) => known === name);
  const path = call === undefined || args === undefined ? undefined : pathOf(call, args);
  if (call === undefined || path === undefined) return undefined;
  return { thread, call, path, changing: call !== 'openat' || /O_(WRONLY|RDWR|CREAT|TRUNC)/.test(args ?? '') };
}

/** Whether a path is one of the watched ones, or below one. */
export const isWatched = (path: string, watched: WatchedPaths): boolean =>
  watched.some((root) => path === root || path.startsWith(`${root}/`));

/** The fault points on the watched paths in a trace that `withTrace` wrote, in the order in which calls were made. */
export function faultPoints(trace: string, watched: WatchedPaths): FaultPoint[] {
  const counts = new Map<string, number>();
  const points = new Map<string, FaultPoint>();
  for (const line of trace.split('\n')) {
    const traced = tracedCall(line);
    if (traced === undefined || !isWatched(traced.path, watched)) continue;
    const { thread, call, path } = traced;
    const counter = `${thread} ${call} ${path}`;
    const nth = (counts.get(counter) ?? 0) + 1;
    counts.set(counter, nth);
    points.set(`${call} ${path} ${nth}`, { call, path, nth });
  }
  return [...points.values()];
}

/** Runs a program once, undisturbed, and gives its end and the points at which faults can strike. */
export async function enumerateFaultPoints(
  argv: readonly string[],
  watched: WatchedPaths,
): Promise<{ readonly result: ToolResult; readonly points: FaultPoint[] }> {
  const folder = scratchFolder('trace');
  try {
    const file = join(folder, 'trace');
    const [program, ...args] = withTrace(argv, file);
    const result = await captureTool(program!, args, { timeoutMs: 60_000 });
    return { result, points: faultPoints(readFileSync(file, 'utf8'), watched) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a program with a fault. A SIGKILL shows as the signal of the result, since strace ends as its program did. */
export async function runWithFault(argv: readonly string[], point: FaultPoint, fault: Fault): Promise<ToolResult> {
  const [program, ...args] = withFault(argv, point, fault);
  return captureTool(program!, args, { timeoutMs: 60_000 });
}

/** What strace is told so that every flush to a disk takes so much longer. */
export const slowFlushes = (byMs: number): string[] => [
  '-e',
  'trace=fsync,fdatasync',
  '-e',
  `inject=fsync,fdatasync:delay_enter=${byMs * 1_000}`,
];
