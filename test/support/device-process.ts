import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { eventually } from './wait.js';

/** How a program on a device ended. `exitCode` is null when a signal ended it. */
export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The processes that a process started, by the machine's process ids. Empty when it is gone. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** A program that runs on a device. It sits behind nsenter, which starts it as its only child. */
export class DeviceProcess {
  /** Everything that it has printed so far. */
  stdout = '';
  stderr = '';
  /** Resolves when it has ended and its output has been read. */
  readonly ended: Promise<ProcessEnd>;
  /** How it ended; undefined while it runs. */
  end: ProcessEnd | undefined;
  private innerPid: number | undefined;

  constructor(
    readonly argv: readonly string[],
    private readonly nsenter: ChildProcessWithoutNullStreams,
  ) {
    nsenter.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    nsenter.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    nsenter.stdin.on('error', () => undefined);
    this.ended = new Promise((resolve, reject) => {
      nsenter.once('error', reject);
      nsenter.once('close', (exitCode, signal) => {
        this.end = { exitCode, signal };
        resolve(this.end);
      });
    });
    this.ended.catch(() => undefined);
  }

  /** All of its output: first stdout, then stderr. */
  get output(): string {
    return this.stdout + this.stderr;
  }

  /** Resolves at its next output, or when it has none any more. */
  nextOutput(): Promise<void> {
    const { stdout } = this.nsenter;
    return new Promise((resolve) => {
      const told = (): void => {
        stdout.off('data', told).off('end', told);
        resolve();
      };
      stdout.on('data', told).on('end', told);
    });
  }

  private get isOver(): boolean {
    return this.nsenter.exitCode !== null || this.nsenter.signalCode !== null;
  }

  /** Its process id as the machine sees it. Errors: it has ended. */
  async pid(): Promise<number> {
    this.innerPid ??= await eventually(
      () => {
        if (this.isOver) throw new Error(`${this.argv.join(' ')} has ended: ${this.stderr}`);
        return this.nsenter.pid === undefined ? undefined : childrenOf(this.nsenter.pid)[0];
      },
      { withinMs: 20_000, everyMs: 1, what: `the process of ${this.argv.join(' ')}` },
    );
    return this.innerPid;
  }

  /** Sends it a signal. Nothing happens when it has ended. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    if (this.end) return;
    const pid = await this.pid().catch(() => undefined);
    if (pid === undefined) return;
    try {
      process.kill(pid, signal);
    } catch {
      // It has just ended; nsenter may still have to see that.
    }
    // nsenter stops itself when its child is stopped, and must go on to see the child's end.
    if (signal !== 'SIGSTOP') this.nsenter.kill('SIGCONT');
  }

  /** Sends it a signal and waits for its end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', withinMs = 30_000): Promise<ProcessEnd> {
    await this.kill(signal);
    await eventually(() => this.end, { withinMs, what: `the end of ${this.argv.join(' ')} after ${signal}` });
    return this.ended;
  }

  /** Writes to its standard input. */
  write(text: string): void {
    this.nsenter.stdin.write(text);
  }

  /** Ends its standard input. */
  endInput(text = ''): void {
    this.nsenter.stdin.end(text);
  }

  /** Kills it and stops listening, also when children of its own still hold its output open. */
  async abandon(): Promise<void> {
    await this.kill('SIGKILL');
    this.nsenter.stdout.destroy();
    this.nsenter.stderr.destroy();
  }

  /** Waits until its output (one of the two streams) matches. Errors: it ends first, or takes too long. */
  async waitFor(pattern: RegExp, withinMs = 30_000): Promise<RegExpExecArray> {
    const command = this.argv.join(' ');
    const match = await eventually<RegExpExecArray | 'ended' | null>(
      () => pattern.exec(this.stdout) ?? pattern.exec(this.stderr) ?? (this.end ? 'ended' : null),
      { withinMs, everyMs: 5, what: `${String(pattern)} from ${command}` },
    ).catch((error: unknown) => {
      throw new Error(`${String(pattern)} not within ${withinMs} ms from ${command}\n${this.stdout}${this.stderr}`, {
        cause: error,
      });
    });
    if (match === 'ended') throw new Error(`${command} ended: ${this.stdout}${this.stderr}`);
    return match;
  }
}
