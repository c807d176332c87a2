import { spawn } from 'node:child_process';
import { copyFileSync, linkSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LEDGER_PARTS } from './ledger-file.js';
import { scratchFolder } from './scratch.js';
import { eventually } from './wait.js';

/** The ledger's files as they were right after one call of the server on them. */
export interface Moment<Seen> {
  /** The call, such as 'pwrite64 ledger.db-wal'. */
  readonly call: string;
  /** Holds the three files; do not open them here, see `putMoment`. */
  readonly folder: string;
  /** What others had seen of the server by then. */
  readonly seen: Seen;
}

const CALLS = 'write,pwrite64,fsync,fdatasync,ftruncate,fallocate,unlink';

/**
 * Stops a running server after each call on its ledger's files, takes the files down and lets it go on, until `work` is
 * done. A process that is killed leaves behind what its finished calls have made, so these are all the ledgers that a
 * kill during the work can leave. The caller removes `folder`.
 */
export async function captureMoments<Seen>(
  pid: number,
  ledgerFile: string,
  work: () => Promise<void>,
  seenByOthers: () => Seen,
): Promise<{ readonly folder: string; readonly moments: Moment<Seen>[] }> {
  const folder = scratchFolder('moments');
  const trace = join(folder, 'trace');
  const files = LEDGER_PARTS.map((part) => ledgerFile + part);
  const strace = spawn(
    'strace',
    ['-p', String(pid), '-o', trace, '-y', '-s', '0', ...files.flatMap((file) => ['-P', file])].concat([
      '-e',
      `trace=${CALLS}`,
      '-e',
      `inject=${CALLS}:signal=SIGSTOP`,
    ]),
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  strace.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const over = new Promise((resolve) => strace.once('exit', resolve));
  await eventually(() => said.includes(' attached'), { withinMs: 30_000, everyMs: 2, what: `strace: ${said}` });

  const moments: Moment<Seen>[] = [];
  const state = { isDone: false };
  const done = work().finally(() => (state.isDone = true));
  const takeNext = (): boolean => {
    const [calls, stops] = readTrace(trace);
    if (stops <= moments.length) return false;
    const call = calls.at(-1) ?? '';
    moments.push({ call, folder: takeFiles(folder, files, call, moments), seen: seenByOthers() });
    process.kill(pid, 'SIGCONT');
    return true;
  };
  await eventually(() => takeNext() || state.isDone, { withinMs: 30_000, everyMs: 1, what: 'a first call' });
  while (!state.isDone)
    await eventually(() => takeNext() || state.isDone, { withinMs: 30_000, everyMs: 1, what: 'the next call' });
  await done;
  strace.kill('SIGINT');
  await over;
  process.kill(pid, 'SIGCONT');
  return { folder, moments };
}

/** Puts the files of a moment into a data folder, where a server can be started on them. */
export function putMoment(moment: Moment<unknown>, folder: string): void {
  for (const part of LEDGER_PARTS)
    copyFileSync(join(moment.folder, `ledger.db${part}`), join(folder, `ledger.db${part}`));
}

/** The calls that a trace shows, and after how many of them the program has stopped. */
function readTrace(trace: string): [string[], number] {
  const lines = readFileSync(trace, 'utf8').split('\n');
  const calls = lines.flatMap((line) => {
    const [, call, file] = /^(\w+)\(\d*<?([^>,]*)/.exec(line) ?? [];
    return call === undefined || file === undefined ? [] : [`${call} ${basename(file)}`];
  });
  return [calls, lines.filter((line) => line.startsWith('--- stopped by SIGSTOP')).length];
}

/** Copies what the call was about; the other files are as they were at the moment before. Gives the folder. */
function takeFiles(
  parent: string,
  files: readonly string[],
  call: string,
  earlier: readonly Moment<unknown>[],
): string {
  const folder = join(parent, String(earlier.length));
  mkdirSync(folder);
  const last = earlier.at(-1);
  for (const file of files) {
    const name = basename(file);
    // The index of the log is shared memory: it changes without any call.
    const isSame = last !== undefined && !call.endsWith(` ${name}`) && !name.endsWith('-shm');
    if (isSame) linkSync(join(last.folder, name), join(folder, name));
    else copyFileSync(file, join(folder, name));
  }
  return folder;
}
