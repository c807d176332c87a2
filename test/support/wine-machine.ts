import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How a program of Windows ended, and what it wrote to both outputs. */
export interface WineResult {
  readonly exitCode: number | null;
  readonly output: string;
}

export interface WineOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What wine says of its own calls; nothing by default. */
  readonly trace?: string;
  readonly timeoutMs?: number;
}

const ENVIRONMENT = String.raw`HKLM\System\CurrentControlSet\Control\Session Manager\Environment`;

/**
 * A Windows as wine has it, in a folder of its own: services, pipes, tokens and the registry work; groups are stubs that say
 * yes and do nothing. Everything that runs in it ends with `dispose`.
 */
export class WineMachine {
  private constructor(private readonly folder: string) {}

  static async start(): Promise<WineMachine> {
    const machine = new WineMachine(mkdtempSync(join(tmpdir(), 'curfew-wine-')));
    try {
      await machine.must(['wineboot', '-i']);
      await machine.must(['reg', 'add', String.raw`HKCU\Software\Wine`, '/v', 'Version', '/d', 'win10', '/f']);
      // For services, which have the environment of the machine.
      await machine.must(['reg', 'add', ENVIRONMENT, '/v', 'NODE_SKIP_PLATFORM_CHECK', '/d', '1', '/f']);
      await machine.cutPower();
    } catch (error) {
      await machine.dispose();
      throw error;
    }
    return machine;
  }

  /** Where a path of Windows is on this machine. */
  path(windows: string): string {
    return join(this.folder, 'prefix/drive_c', ...windows.replace(/^[Cc]:\\/, '').split('\\'));
  }

  /** Puts a folder of this machine there. */
  copy(from: string, windows: string): void {
    mkdirSync(this.path(windows), { recursive: true });
    cpSync(from, this.path(windows), { recursive: true });
  }

  /** Runs a program of Windows until it ends. Its outputs go to a file: through pipes Node cannot write there. */
  async run(
    command: readonly string[],
    { env = {}, trace = '-all', timeoutMs = 180_000 }: WineOptions = {},
  ): Promise<WineResult> {
    const file = join(this.folder, `output-${Math.trunc(performance.now() * 1000)}`);
    const output = openSync(file, 'w');
    try {
      const child = spawn('wine', command, {
        env: this.env(trace, env),
        stdio: ['ignore', output, output],
        timeout: timeoutMs,
      });
      const [exitCode] = (await once(child, 'exit')) as [number | null];
      return { exitCode, output: readFileSync(file, 'utf8').replaceAll('\r\n', '\n') };
    } finally {
      closeSync(output);
      rmSync(file);
    }
  }

  /** The same; it must succeed. Gives what it wrote. */
  async must(command: readonly string[], options: WineOptions = {}): Promise<string> {
    const { exitCode, output } = await this.run(command, options);
    if (exitCode !== 0) throw new Error(`${command.join(' ')}: exit code ${String(exitCode)}\n${output}`);
    return output;
  }

  /** Ends everything that runs in it at once, as a power cut would; what runs next finds a machine that has just started. */
  async cutPower(): Promise<void> {
    const child = spawn('wineserver', ['--kill'], { env: this.env('-all', {}), stdio: 'ignore' });
    await once(child, 'exit');
    await once(spawn('wineserver', ['--wait'], { env: this.env('-all', {}), stdio: 'ignore' }), 'exit');
  }

  async dispose(): Promise<void> {
    await this.cutPower();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private env(trace: string, more: Readonly<Record<string, string>>): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: this.folder,
      LC_ALL: 'C.UTF-8',
      WINEPREFIX: join(this.folder, 'prefix'),
      WINEDEBUG: trace,
      // Wine calls itself Windows 7 where Node looks.
      NODE_SKIP_PLATFORM_CHECK: '1',
      ...more,
    };
  }
}
