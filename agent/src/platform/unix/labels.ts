import { existsSync } from 'node:fs';
import type { CommandRunner } from '../../ports/command-runner.js';
import type { ToolPath } from './system-tools.js';

/** There while SELinux is on (selinuxfs). */
const SELINUX = '/sys/fs/selinux/enforce';

export interface LabelsParts {
  readonly runner: CommandRunner;
  readonly tools: ToolPath;
  readonly isOn?: () => boolean;
}

/**
 * Gives files the label of their place where SELinux is on. A file that takes the place of another keeps the label that it was
 * made with; without the right one, sudo or polkitd may not read it.
 */
export class Labels {
  /** Why labels could not be given the last time; '' when they could, or need not be. */
  problem = '';

  constructor(private readonly parts: LabelsParts) {}

  /** Never fails: a label that is wrong has the read-back of the right fail. */
  async restore(...files: readonly string[]): Promise<void> {
    const { runner, tools, isOn = () => existsSync(SELINUX) } = this.parts;
    if (!isOn()) return;
    const restorecon = tools('restorecon');
    if (restorecon === undefined) this.problem = 'restorecon is not installed';
    else {
      const done = await runner.run(restorecon, ['-F', '--', ...files]).catch((error: unknown) => String(error));
      this.problem = typeof done === 'string' ? done : done.exitCode === 0 ? '' : done.stderr.trim();
    }
  }
}
