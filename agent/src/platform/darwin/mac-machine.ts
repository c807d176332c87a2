import { execFileSync } from 'node:child_process';
import os from 'node:os';
import type { CommandRunner } from '../../ports/command-runner.js';
import type { Machine, MachineFacts } from '../../ports/machine.js';
import { MAC_TOOLS } from './mac-tools.js';

/** A Mac. */
export class MacMachine implements Machine {
  private boot: string | undefined;

  constructor(
    private readonly runner: CommandRunner,
    private readonly readBoot: () => string = bootSession,
  ) {}

  bootId(): string {
    return (this.boot ??= this.readBoot());
  }

  async facts(): Promise<MachineFacts> {
    const [version, expert] = await Promise.all([
      this.runner.run(MAC_TOOLS.swVers, []),
      this.runner.run(MAC_TOOLS.ioreg, ['-rd1', '-c', 'IOPlatformExpertDevice']),
    ]);
    return {
      hostname: os.hostname(),
      platform: 'darwin',
      osRelease: ['ProductName', 'ProductVersion', 'BuildVersion']
        .map((key) => versionOf(version.stdout, key))
        .join(' ')
        .trim(),
      kernel: os.release(),
      architecture: os.arch(),
      hardwareId: registryValue(expert.stdout, 'IOPlatformUUID'),
      model: registryValue(expert.stdout, 'model'),
    };
  }
}

/** The UUID that the kernel makes at each boot (sysctl kern.bootsessionuuid). */
const bootSession = (): string =>
  execFileSync(MAC_TOOLS.sysctl, ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8', env: {}, cwd: '/' }).trim();

/** A value of sw_vers(1): 'ProductVersion:\t\t14.5' on some versions, with one tab or blanks on others. */
const versionOf = (text: string, key: string): string =>
  new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';

/** A value of ioreg(8): "IOPlatformUUID" = "…", or as bytes "model" = <"Mac14,2">. */
const registryValue = (text: string, key: string): string =>
  new RegExp(`^\\s*\\|?\\s*"${key}" = <?"([^"]*)"`, 'm').exec(text)?.[1] ?? '';
