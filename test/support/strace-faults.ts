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

/** strace and its arguments in front of a program, so that `fault` strikes at `point`. */
export function withFault(argv: readonly string[], point: FaultPoint, fault: Fault): string[] {
  const effect = fault === 'SIGKILL' ? 'signal=SIGKILL' : `error=${fault}`;
  const inject = `inject=${point.call}:${effect}:when=${point.nth}`;
  const expressions = ['-e', `trace=${point.call}`, '-e', inject];
  return [
    'strace',
    '-f',
    '-qq',
    ...ONE_POOL_THREAD,
    '-P',
    point.path,
    '-o',
    '/dev/null',
    ...expressions,
    '--',
    ...argv,
  ];
}

/** strace and its arguments in front of a program, so that its calls on files are written to `file`. */
export function withTrace(argv: readonly string[], file: string): string[] {
  const trace = `trace=${FILE_CALLS.join(',')}`;
  return ['strace', '-f', '-qq', '-y', ...ONE_POOL_THREAD, '-s', '4', '-o', file, '-e', trace, '--', ...argv];
}

/** The calls that name a file; the others have it open. */
const NAMING: readonly FileCall[] = ['openat', 'rename', 'renameat2', 'unlink', 'unlinkat'];

/** The path that a call of a trace is about; of the two of a rename, the old one. */
function pathOf(call: FileCall, args: string): string | undefined {
  const folder = /^(?:\d+|AT_FDCWD)<([^>]*)>/.exec(args)?.[1];
  if (!NAMING.includes(call)) return folder;
  const name = /^(?:(?:\d+|AT_FDCWD)<[^>]*>, )?"([^"]*)"/.exec(args)?.[1];
  return name === undefined || name.startsWith('/') ? name : join(folder ?? '/', name);
}

/** The fault points on the watched paths in a trace that `withTrace` wrote, in the order in which calls were made. */
export function faultPoints(trace: string, watched: WatchedPaths): FaultPoint[] {
  const counts = new Map<string, number>();
  const points = new Map<string, FaultPoint>();
  for (const line of trace.split('\n')) {
    const [, thread, name, args] = /^(?:(\d+) +)?([a-z0-9]+)\((.*)/.exec(line) ?? [];
    const call = FILE_CALLS.find((known) => known === name);
    const path = call === undefined || args === undefined ? undefined : pathOf(call, args);
    if (call === undefined || path === undefined) continue;
    if (!watched.some((root) => path === root || path.startsWith(`${root}/`))) continue;
    const counter = `${thread ?? ''} ${call} ${path}`;
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
