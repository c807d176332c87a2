import { durationMs, SECOND, sleep, type Clock } from '@curfew/shared';
import type { CommandRunner } from '../../ports/command-runner.js';
import type { ServiceManager } from '../../ports/service-manager.js';
import { MAC_TOOLS } from './mac-tools.js';

const SERVICE = 'system/curfew.agent';
/** How long an agent may take to stop before it is killed. */
const PATIENCE = durationMs(10 * SECOND);

export interface LaunchdServiceParts {
  readonly runner: CommandRunner;
  readonly clock: Clock;
  /** Sends a signal, 0 for none; gives whether there is such a process. */
  readonly signal?: (pid: number, signal: NodeJS.Signals | 0) => boolean;
}

/** launchd, which restarts the agent when it ends, and watches over nothing else: it takes no sign of life. */
export class LaunchdService implements ServiceManager {
  readonly patience = undefined;

  constructor(private readonly parts: LaunchdServiceParts) {}

  ready(): void {
    // launchd waits for nobody.
  }

  alive(): void {
    // launchd asks nobody.
  }

  async stopAgent(pid: number | undefined): Promise<void> {
    const { runner, clock, signal = signalProcess } = this.parts;
    if ((await runner.run(MAC_TOOLS.launchctl, ['print', SERVICE])).exitCode === 0) {
      // Disabled first: what is only booted out is started again at the next boot.
      await runner.run(MAC_TOOLS.launchctl, ['disable', SERVICE]);
      await runner.run(MAC_TOOLS.launchctl, ['bootout', SERVICE], { timeoutMs: 60_000 });
    }
    if (pid === undefined) return;
    const giveUpAt = clock.bootTime() + PATIENCE;
    signal(pid, 'SIGTERM');
    while (signal(pid, 0)) {
      if (clock.bootTime() > giveUpAt) signal(pid, 'SIGKILL');
      await sleep(clock, durationMs(50));
    }
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
