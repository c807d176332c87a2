import { CurfewError, type Clock } from '@curfew/shared';
import { existsSync } from 'node:fs';
import type { CommandResult, CommandRunner } from '../../ports/command-runner.js';
import type { GrantOrder } from '../../ports/privilege-host.js';
import { GRACE_SECONDS, type IndependentRemover } from '../unix/independent-remover.js';
import { systemProgram } from '../unix/system-tools.js';

const [SYSTEMD_RUN, SYSTEMCTL] = [systemProgram('systemd-run'), systemProgram('systemctl')];

/** Whether systemd is this machine's init (sd_booted(3)). */
export const systemdRuns = (): boolean => existsSync('/run/systemd/system');

/** Whether a file is what systemd keeps of a timer that removes the right of one of the sessions. */
export function isRemoverUnit(file: string, mark: string, sessionIds: ReadonlySet<string>): boolean {
  const [, session] =
    new RegExp(`^/run/systemd/transient/${mark}-remove-(ses-[0-9a-z]+)-[0-9a-f]+\\.(?:timer|service)$`).exec(file) ??
    [];
  return session !== undefined && sessionIds.has(session);
}

/**
 * A transient systemd timer for each right. It needs neither the agent nor any file of it. It has two triggers: one
 * counts on a clock that nobody can set, but which stands still in sleep (systemd.timer(5), WakeSystem=); the other is
 * the end by the wall clock, which is right again as soon as the machine wakes.
 */
export class SystemdRemover implements IndependentRemover {
  readonly kind = 'systemd-timer';

  constructor(
    private readonly runner: CommandRunner,
    private readonly clock: Clock,
    /** A fresh word, so that a new timer can stand beside the one that it replaces. */
    private readonly word: () => string,
    /** What the names of this agent's timers begin with; another agent of the machine has other timers. */
    private readonly mark: string,
  ) {}

  async arm(order: Pick<GrantOrder, 'sessionId' | 'deadline' | 'wallEnd'>, argv: readonly string[]): Promise<void> {
    // systemd writes the command down, and reads it again at every reload: it does not get quotes, variables and
    // semicolons right then (seen with 252).
    const odd = argv.find((argument) => !/^[A-Za-z0-9_./+-]+$/.test(argument));
    if (odd !== undefined) throw new CurfewError('REMOVER_UNAVAILABLE', { detail: `systemd cannot be given '${odd}'` });
    const earlier = await this.timers(order.sessionId);
    const seconds = Math.max(1, Math.ceil((order.deadline - this.clock.bootTime()) / 1000) + GRACE_SECONDS);
    await this.must(SYSTEMD_RUN, [
      `--unit=${this.unit(order.sessionId)}${this.word()}`,
      `--description=Curfew: removes the right of session ${order.sessionId}`,
      '--collect',
      `--on-active=${seconds}s`,
      `--on-calendar=${calendarTime(order.wallEnd)}`,
      '--timer-property=AccuracySec=50ms',
      '--property=Restart=on-failure',
      '--property=RestartSec=200ms',
      '--property=StartLimitIntervalSec=0',
      '--',
      ...argv,
    ]);
    await this.stop(order.sessionId, earlier);
  }

  async armed(): Promise<readonly string[]> {
    const timers = await this.timers('*');
    const sessions = timers.map((timer) => timer.slice(`${this.mark}-remove-`.length).split('-', 2).join('-'));
    return [...new Set(sessions)];
  }

  async disarm(sessionId: string): Promise<void> {
    await this.stop(sessionId, await this.timers(sessionId));
  }

  /** One that has fired meanwhile is no longer there to be stopped, and systemctl fails for it. */
  private async stop(sessionId: string, timers: readonly string[]): Promise<void> {
    if (timers.length === 0) return;
    try {
      await this.must(SYSTEMCTL, ['stop', '--', ...timers]);
    } catch (error) {
      const left = await this.timers(sessionId);
      if (timers.some((timer) => left.includes(timer))) throw error;
    }
  }

  /** The timers that are armed for a session, or with '*' for any, also by an earlier process. */
  private async timers(sessionId: string): Promise<string[]> {
    const { stdout } = await this.must(SYSTEMCTL, [
      'list-units',
      '--all',
      '--plain',
      '--no-legend',
      '--full',
      '--',
      `${this.unit(sessionId)}*.timer`,
    ]);
    return stdout.split('\n').flatMap((line) => line.split(' ')[0] || []);
  }

  private unit(sessionId: string): string {
    return `${this.mark}-remove-${sessionId}-`;
  }

  private async must(program: string, args: readonly string[]): Promise<CommandResult> {
    const result = await this.runner.run(program, args).catch((error: unknown) => {
      throw new CurfewError('REMOVER_UNAVAILABLE', { detail: String(error) }, { cause: error });
    });
    if (result.exitCode !== 0)
      throw new CurfewError('REMOVER_UNAVAILABLE', { detail: `${program}: ${result.stderr.trim()}` });
    return result;
  }
}

/** As systemd.time(7) reads it, no earlier than the moment. */
function calendarTime(ms: number): string {
  const time = new Date((Math.ceil(ms / 1000) + GRACE_SECONDS) * 1000).toISOString();
  return `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`;
}
