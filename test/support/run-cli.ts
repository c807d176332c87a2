import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What a command line tool did. */
export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Where the tools are that people start. */
export const CLI_SCRIPTS = {
  curfewctl: fileURLToPath(new URL('../../../server/bin/curfewctl.js', import.meta.url)),
  curfew: fileURLToPath(new URL('../../../agent/bin/curfew.js', import.meta.url)),
} as const;

/** A tool that runs, as the real child process that people start. */
export class RunningCli {
  out = '';
  err = '';
  private readonly child: ChildProcess;
  private readonly ended: Promise<number>;
  private readonly waiters = new Set<() => void>();

  constructor(
    tool: keyof typeof CLI_SCRIPTS,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    input?: string,
  ) {
    // PATH lets the tool find nothing but what it names absolutely; no variable of the caller reaches it.
    this.child = spawn(process.execPath, [CLI_SCRIPTS[tool], ...args], {
      env: { PATH: '/usr/bin:/bin', TZ: 'UTC', ...env },
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => this.grow(() => (this.out += text)));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => this.grow(() => (this.err += text)));
    this.child.stdin?.end(input ?? '');
    this.ended = once(this.child, 'close').then(([code]) => {
      this.grow(() => undefined);
      // Ended by a signal that it did not handle.
      return typeof code === 'number' ? code : -1;
    });
  }

  /** Resolves when what was printed so far matches; fails when the tool ends before. */
  async until(pattern: RegExp): Promise<void> {
    const over = this.ended.then(() => true);
    while (!pattern.test(this.out) && !pattern.test(this.err)) {
      const grown = new Promise<boolean>((resolve) => this.waiters.add(() => resolve(false)));
      const ended = await Promise.race([grown, over]);
      if (ended && !pattern.test(this.out) && !pattern.test(this.err))
        throw new Error(`the tool ended without ${String(pattern)}:\n${this.out}\n${this.err}`);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async result(): Promise<CliResult> {
    const code = await this.ended;
    return { code, out: this.out, err: this.err };
  }

  private grow(change: () => void): void {
    change();
    for (const wake of this.waiters) wake();
    this.waiters.clear();
  }
}

/** Runs a tool to its end. */
export const runCli = (...args: ConstructorParameters<typeof RunningCli>): Promise<CliResult> =>
  new RunningCli(...args).result();
