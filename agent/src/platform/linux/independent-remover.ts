import { CurfewError, type Clock } from '@curfew/shared';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CommandRunner } from '../../ports/command-runner.js';

/** What removes a right at its deadline when the agent cannot. */
export interface IndependentRemover {
  readonly kind: 'systemd-timer' | 'watchdog-process';
  /** Errors: REMOVER_UNAVAILABLE. */
  arm(
    order: { readonly sessionId: string; readonly deadline: number; readonly wallEnd: number },
    file: string,
  ): Promise<void>;
  disarm(sessionId: string): Promise<void>;
}

/** Whether systemd is this machine's init (sd_booted(3)). */
export const systemdRuns = (): boolean => existsSync('/run/systemd/system');

/** How much later than the agent the remover acts, so that the two do not race while the agent lives. */
const GRACE_SECONDS = 1;

/** A transient systemd timer for each right. It needs neither the agent nor any file of it. */
export class SystemdRemover implements IndependentRemover {
  readonly kind = 'systemd-timer';

  constructor(
    private readonly runner: CommandRunner,
    private readonly clock: Clock,
  ) {}

  async arm(order: { sessionId: string; deadline: number; wallEnd: number }, file: string): Promise<void> {
    await this.disarm(order.sessionId);
    const seconds = Math.max(1, Math.ceil((order.deadline - this.clock.bootTime()) / 1000) + GRACE_SECONDS);
    const args = [
      `--unit=${unit(order.sessionId)}`,
      '--collect',
      `--on-active=${seconds}s`,
      '--timer-property=AccuracySec=50ms',
      '/bin/rm',
      '-f',
      '--',
      file,
    ];
    const { exitCode, stderr } = await this.runner.run('/usr/bin/systemd-run', args);
    if (exitCode !== 0) throw new CurfewError('REMOVER_UNAVAILABLE', { detail: stderr.trim() });
  }

  async disarm(sessionId: string): Promise<void> {
    await this.runner.run('/usr/bin/systemctl', ['stop', `${unit(sessionId)}.timer`]);
  }
}

const unit = (sessionId: string): string => `curfew-remove-${sessionId}`;

/**
 * Looks once a second at the boot clock, which counts sleep, and at the wall clock. Ends by itself when its arm file
 * names another arming or is gone. $1 arm file, $2 its word, $3 rule, $4 boot second, $5 wall second.
 */
const WATCHDOG = `
while :; do
  word=; read -r word < "$1" 2>/dev/null
  [ "$word" = "$2" ] || exit 0
  read -r up rest < /proc/uptime
  if [ "\${up%%.*}" -ge "$4" ] || [ "$(date +%s)" -ge "$5" ]; then
    rm -f -- "$3" "$1"
    exit 0
  fi
  sleep 1
done`;

/** A shell process for each right, on machines without systemd. It outlives the agent, and the agent's files. */
export class WatchdogRemover implements IndependentRemover {
  readonly kind = 'watchdog-process';

  constructor(
    private readonly folder: string,
    private readonly word: () => string,
  ) {}

  async arm(order: { sessionId: string; deadline: number; wallEnd: number }, file: string): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const [armFile, word] = [this.armFile(order.sessionId), this.word()];
    await writeFile(armFile, `${word}\n`, { mode: 0o600 });
    const seconds = [order.deadline, order.wallEnd].map((ms) => String(Math.ceil(ms / 1000) + GRACE_SECONDS));
    const child = spawn('/bin/sh', ['-c', WATCHDOG, 'curfew-watchdog', armFile, word, file, ...seconds], {
      cwd: '/',
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      stdio: 'ignore',
      detached: true,
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => {
        reject(new CurfewError('REMOVER_UNAVAILABLE', { detail: error.message }, { cause: error }));
      });
    });
    child.unref();
  }

  async disarm(sessionId: string): Promise<void> {
    await rm(this.armFile(sessionId), { force: true });
  }

  private armFile(sessionId: string): string {
    return path.join(this.folder, sessionId);
  }
}
