import { CurfewError } from '@curfew/shared';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { GrantOrder } from '../../ports/privilege-host.js';
import { ignoreMissing } from './durable-file.js';
import { GRACE_SECONDS, type IndependentRemover } from './independent-remover.js';
import { startDetached } from './detached-shell.js';

/** How a system's shell learns how long it has been up, sleep included: '$up' in whole seconds. */
export const UPTIME = {
  // CLOCK_BOOTTIME (proc(5)).
  linux: 'read -r up rest < /proc/uptime; up=${up%%.*}',
  // The moment of the boot moves with the wall clock when that is set (sysctl(3), KERN_BOOTTIME), so that this does not.
  darwin: 'up=$(/usr/sbin/sysctl -n kern.boottime); up=${up#*sec = }; up=$(($(/bin/date +%s) - ${up%%,*}))',
} as const;

/**
 * Looks once a second at the boot clock, which counts sleep, and at the wall clock. Ends by itself when its arm file is
 * gone. $1 arm file, $2 boot second, $3 wall second, then what to run.
 */
const watchdog = (uptime: string): string => `
file=$1 boot=$2 wall=$3
shift 3
while [ -e "$file" ]; do
  ${uptime}
  if [ "$up" -ge "$boot" ] || [ "$(date +%s)" -ge "$wall" ]; then
    "$@" && { rm -f -- "$file"; exit 0; }
  fi
  sleep 1
done`;

/** A shell process for each right, on machines without systemd: macOS, OpenRC, containers. It outlives the agent, and the agent's program. */
export class WatchdogRemover implements IndependentRemover {
  readonly kind = 'watchdog-process';

  constructor(
    private readonly folder: string,
    /** A fresh word, so that a new watchdog can stand beside the one that it replaces. */
    private readonly word: () => string,
    private readonly uptime: string = UPTIME.linux,
  ) {}

  async arm(order: Pick<GrantOrder, 'sessionId' | 'deadline' | 'wallEnd'>, argv: readonly string[]): Promise<void> {
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      const earlier = await this.armFiles(order.sessionId);
      const armFile = path.join(this.folder, `${order.sessionId}.${this.word()}`);
      const seconds = [order.deadline, order.wallEnd].map((ms) => String(Math.ceil(ms / 1000) + GRACE_SECONDS));
      // For whoever finds the file when the process is gone: what the process has been given.
      await writeFile(armFile, `${[...seconds, ...argv].join(' ')}\n`, { mode: 0o600, flag: 'wx' });
      await startDetached(['-c', watchdog(this.uptime), 'curfew-watchdog', armFile, ...seconds, ...argv]);
      for (const file of earlier) await rm(file, { force: true });
    } catch (error) {
      throw new CurfewError('REMOVER_UNAVAILABLE', { detail: String(error) }, { cause: error });
    }
  }

  async armed(): Promise<readonly string[]> {
    const names = await readdir(this.folder).catch(ignoreMissing<string[]>([]));
    return [...new Set(names.map((name) => name.split('.')[0] ?? name))];
  }

  async disarm(sessionId: string): Promise<void> {
    for (const file of await this.armFiles(sessionId)) await rm(file, { force: true });
  }

  private async armFiles(sessionId: string): Promise<string[]> {
    const names = await readdir(this.folder).catch(ignoreMissing<string[]>([]));
    return names.filter((name) => name.startsWith(`${sessionId}.`)).map((name) => path.join(this.folder, name));
  }
}
