import { spawn } from 'node:child_process';

/** A program to be run once. */
export interface ProgramRun {
  /** An absolute path. */
  readonly program: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** What it reads on its standard input. */
  readonly input: string;
  readonly signal: AbortSignal;
}

/** How a program ended. */
export interface ProgramEnd {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Undefined when there was more than MOST_OUTPUT_BYTES of it, and the program was killed for that. */
  readonly stdout: string | undefined;
  /** The beginning of it. */
  readonly stderr: string;
}

export const MOST_OUTPUT_BYTES = 8 * 1024 * 1024;
const KEPT_STDERR_BYTES = 4096;

/**
 * Runs a program without a shell, in '/', in a process group of its own. The whole group is killed when the signal
 * fires, when it writes too much, and when its leader has ended: nothing that it started goes on. Errors: what keeps it
 * from being started; once the signal has fired, an Error as soon as the leader is gone.
 */
export function runProgram({ program, args, env, input, signal }: ProgramRun): Promise<ProgramEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { cwd: '/', env: { ...env }, stdio: 'pipe', detached: true });
    // First of all: where files have run out, there is not even a pipe to listen to, and this is how it is said.
    child.once('error', reject);
    const endGroup = (): void => killGroup(child.pid);
    const giveUp = (): void => {
      endGroup();
      // A process that has left the group may hold these open; nobody waits for it.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const out: Buffer[] = [];
    let outBytes = 0;
    let stderr = Buffer.alloc(0);
    child.stdout.on('data', (piece: Buffer) => {
      outBytes += piece.length;
      if (outBytes > MOST_OUTPUT_BYTES) giveUp();
      else out.push(piece);
    });
    child.stderr.on('data', (piece: Buffer) => {
      if (stderr.length < KEPT_STDERR_BYTES) stderr = Buffer.concat([stderr, piece]).subarray(0, KEPT_STDERR_BYTES);
    });
    // A program that does not read its input is no error of ours.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    signal.addEventListener('abort', giveUp);
    if (signal.aborted) giveUp();
    child.once('error', () => signal.removeEventListener('abort', giveUp));
    child.once('exit', endGroup);
    child.once('close', (exitCode, endSignal) => {
      signal.removeEventListener('abort', giveUp);
      if (signal.aborted) reject(new Error(`${program} was stopped`));
      const stdout = outBytes > MOST_OUTPUT_BYTES ? undefined : Buffer.concat(out).toString('utf8');
      resolve({ exitCode, signal: endSignal, stdout, stderr: stderr.toString('utf8') });
    });
  });
}

/** A number stays the group's for as long as the group has a member, so that nobody else is met. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}
