import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from './scratch.js';
import { slowFlushes, type Fault } from './strace-faults.js';
import { eventually } from './wait.js';

const SOON = { withinMs: 30_000, everyMs: 2 } as const;

/** A call of the main thread of a running program, counted from the moment at which the strace is there. */
export interface CallPoint {
  readonly call: string;
  /** From 1. */
  readonly nth: number;
  /** Whether every later such call fails as well, as on a disk that stays full. */
  readonly andAllAfter?: boolean;
}

/** strace on the main thread of a program that runs already: between `attach` and `detach` it watches, or strikes. */
export class MainThreadStrace {
  private readonly ended: Promise<unknown>;

  private constructor(
    private readonly pid: number,
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {
    this.ended = new Promise((resolve) => child.once('exit', resolve));
  }

  /** Strikes at a point on files that are there; their calls are counted together. */
  static strike(pid: number, files: readonly string[], point: CallPoint, fault: Fault): Promise<MainThreadStrace> {
    const effect = fault === 'SIGKILL' ? 'signal=SIGKILL' : `error=${fault}`;
    const when = `when=${point.nth}${point.andAllAfter ? '+' : ''}`;
    return MainThreadStrace.attach(pid, [
      ...files.flatMap((file) => ['-P', file]),
      '-e',
      `trace=${point.call}`,
      '-e',
      `inject=${point.call}:${effect}:${when}`,
    ]);
  }

  /** Writes down calls, with the files and connections that they are about. */
  static watch(pid: number, calls: readonly string[]): Promise<MainThreadStrace> {
    return MainThreadStrace.attach(pid, ['-yy', '-s', '0', '-e', `trace=${calls.join(',')}`]);
  }

  /** Lets every flush to a disk take so much longer. */
  static slowFlushes(pid: number, byMs: number): Promise<MainThreadStrace> {
    return MainThreadStrace.attach(pid, slowFlushes(byMs));
  }

  private static async attach(pid: number, args: readonly string[]): Promise<MainThreadStrace> {
    const folder = scratchFolder('strace');
    const child = spawn('strace', ['-p', String(pid), '-o', join(folder, 'trace'), ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const attached = new MainThreadStrace(pid, child, folder);
    await eventually(
      () => {
        if (child.exitCode !== null) throw new Error(`strace ended: ${said}`);
        return said.includes(' attached');
      },
      { ...SOON, what: 'an attached strace' },
    );
    return attached;
  }

  /** Whether the fault has struck. */
  get hasStruck(): boolean {
    return this.trace.includes('(INJECTED)');
  }

  /** How many calls were held up so far. */
  get delayed(): number {
    return this.trace.split('(DELAYED)').length - 1;
  }

  /** Lets the program go on alone, when it still runs. Gives what was seen: a line for each call. */
  async detach(isRunning = true): Promise<string[]> {
    if (isRunning) {
      // Never in the middle of a call that strace makes fail: that one would then fail in a way of its own.
      process.kill(this.pid, 'SIGSTOP');
      await eventually(() => this.trace.includes('--- stopped by SIGSTOP'), { ...SOON, what: 'a program that stands' });
      this.child.kill('SIGINT');
    }
    await this.ended;
    if (isRunning) process.kill(this.pid, 'SIGCONT');
    const lines = this.trace.split('\n').filter(Boolean);
    rmSync(this.folder, { recursive: true });
    return lines;
  }

  private get trace(): string {
    return readFileSync(join(this.folder, 'trace'), 'utf8');
  }
}
