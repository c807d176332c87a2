import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { CLI_SCRIPTS } from './run-cli.js';

/** The keys that a terminal makes more of than text. */
export const KEYS = { ctrlC: '\u0003', ctrlD: '\u0004', enter: '\r', erase: '\u007f' } as const;

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A tool on a pseudo-terminal of its own, which script(1) makes: what it prints on stdout and stderr is one screen. */
export class CliOnTerminal {
  screen = '';
  private readonly child: ChildProcess;
  private readonly ended: Promise<number>;
  private readonly waiters = new Set<() => void>();

  constructor(tool: keyof typeof CLI_SCRIPTS, args: readonly string[], env: Readonly<Record<string, string>>) {
    const command = [process.execPath, CLI_SCRIPTS[tool], ...args].map(quoted).join(' ');
    // -e: ends with the tool's exit code. exec: Ctrl-C is the tool's alone.
    this.child = spawn('/usr/bin/script', ['-qfec', `exec ${command}`, '/dev/null'], {
      env: { PATH: '/usr/bin:/bin', TZ: 'UTC', TERM: 'xterm', SHELL: '/bin/sh', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.screen += text;
      this.wake();
    });
    this.ended = once(this.child, 'close').then(([code]) => {
      this.wake();
      return typeof code === 'number' ? code : -1;
    });
  }

  /** Resolves when the screen matches; fails when the tool ends before. */
  async until(pattern: RegExp): Promise<void> {
    const over = this.ended.then(() => true);
    while (!pattern.test(this.screen)) {
      const grown = new Promise<boolean>((resolve) => this.waiters.add(() => resolve(false)));
      const ended = await Promise.race([grown, over]);
      if (ended && !pattern.test(this.screen))
        throw new Error(`the tool ended without ${String(pattern)}:\n${this.screen}`);
    }
  }

  type(keys: string): void {
    this.child.stdin?.write(keys);
  }

  /** Takes the terminal away, if it is still there: the tool is hung up on. */
  close(): void {
    this.child.kill();
  }

  /** The exit code, once it has ended. */
  exitCode(): Promise<number> {
    return this.ended;
  }

  private wake(): void {
    for (const wake of this.waiters) wake();
    this.waiters.clear();
  }
}
