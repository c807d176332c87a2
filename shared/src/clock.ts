import { closeSync, openSync, readSync } from 'node:fs';
import os from 'node:os';
import { bootMs, instantMs, type BootMs, type DurationMs, type InstantMs } from './instant.js';

/** Stops a timer that has not fired. Safe to call twice. */
export type CancelTimer = () => void;

/** The only way to learn the time or to wait. Everything that needs either is given one. */
export interface Clock {
  /** Wall-clock time. May jump both ways. */
  now(): InstantMs;
  /** Time since boot, sleep included. Never goes back within a boot. */
  bootTime(): BootMs;
  /** Calls `fn` once after at least `delay` of process time, which does not count sleep. Any length is fine. */
  after(delay: DurationMs, fn: () => void): CancelTimer;
}

/** Resolves after at least `delay` of process time. */
export const sleep = (clock: Clock, delay: DurationMs): Promise<void> =>
  new Promise((resolve) => clock.after(delay, resolve));

/** Node's timers hold at most 2^31-1 ms and fire at once beyond that, so longer waits are cut into pieces. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** The machine's clocks. `uptimeFile` exists for tests of sleep. */
export class SystemClock implements Clock {
  /** Read into again and again: a new buffer at each tick would be most of what an idle agent costs. */
  private readonly uptime = Buffer.alloc(64);

  constructor(
    private readonly uptimeFile: string | undefined = process.platform === 'linux' ? '/proc/uptime' : undefined,
  ) {}

  now(): InstantMs {
    return instantMs(Date.now());
  }

  bootTime(): BootMs {
    // /proc/uptime follows CLOCK_BOOTTIME (proc(5)); os.uptime() on macOS and Windows counts sleep too.
    const seconds = this.uptimeFile === undefined ? os.uptime() : this.readUptime(this.uptimeFile);
    if (!Number.isFinite(seconds)) throw new Error(`boot time is unreadable from ${this.uptimeFile ?? 'the system'}`);
    return bootMs(seconds * 1000);
  }

  private readUptime(file: string): number {
    // Opened anew each time: what is mounted there may change.
    const opened = openSync(file, 'r');
    try {
      const length = readSync(opened, this.uptime);
      return Number.parseFloat(this.uptime.toString('latin1', 0, length));
    } finally {
      closeSync(opened);
    }
  }

  after(delay: DurationMs, fn: () => void): CancelTimer {
    let rest = Math.max(0, delay);
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const piece = Math.min(rest, LONGEST_TIMER_MS);
      rest -= piece;
      timer = setTimeout(rest > 0 ? arm : fn, piece);
    };
    arm();
    return () => {
      clearTimeout(timer);
    };
  }
}
