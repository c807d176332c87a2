import { durationMs, SECOND, sleep, type Clock } from '@curfew/shared';
import koffi from 'koffi';
import { readFileSync } from 'node:fs';
import type { CommandRunner } from '../../ports/command-runner.js';
import type { ServiceManager } from '../../ports/service-manager.js';
import { systemProgram } from '../unix/system-tools.js';

const [SYSTEMCTL, UNIT] = [systemProgram('systemctl'), 'curfew-agent.service'];
/** How long an agent may take to stop before it is killed. */
const PATIENCE = durationMs(10 * SECOND);

/** systemd where it runs; it is told of the agent where it has started this process with Type=notify, by sd_notify(3). */
export class LinuxService implements ServiceManager {
  readonly patience;
  private readonly notify: (state: string) => void;

  constructor(
    env: NodeJS.ProcessEnv,
    private readonly parts: { readonly runner: CommandRunner; readonly clock: Clock; readonly systemdRuns: boolean },
  ) {
    const { NOTIFY_SOCKET: socket = '', WATCHDOG_USEC: watchdog = '' } = env;
    const watches = socket !== '' && /^\d{1,15}$/.test(watchdog);
    this.patience = watches ? durationMs(Number(watchdog) / 1000) : undefined;
    this.notify = socket === '' ? () => undefined : sdNotify();
  }

  ready(): void {
    this.notify('READY=1');
  }

  alive(): void {
    this.notify('WATCHDOG=1');
  }

  async stopAgent(pid: number | undefined): Promise<void> {
    const { runner, clock, systemdRuns } = this.parts;
    if (systemdRuns && (await runner.run(SYSTEMCTL, ['cat', UNIT])).exitCode === 0)
      await runner.run(SYSTEMCTL, ['disable', '--now', UNIT], { timeoutMs: 60_000 });
    if (pid === undefined) return;
    const giveUpAt = clock.bootTime() + PATIENCE;
    send(pid, 'SIGTERM');
    while (runs(pid)) {
      if (clock.bootTime() > giveUpAt) send(pid, 'SIGKILL');
      await sleep(clock, durationMs(50));
    }
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Whether a process can still do anything: one that has ended counts for nothing, though its parent looks away. */
function runs(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

function sdNotify(): (state: string) => void {
  const notify = koffi.load('libsystemd.so.0').func('int sd_notify(int unset_environment, const char *state)') as (
    unset: number,
    state: string,
  ) => number;
  return (state) => void notify(0, state);
}
