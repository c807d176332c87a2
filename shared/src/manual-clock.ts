import type { CancelTimer, Clock } from './clock.js';
import { bootMs, instantMs, type BootMs, type DurationMs, type InstantMs } from './instant.js';

interface ArmedTimer {
  readonly dueMs: number;
  readonly order: number;
  readonly fn: () => void;
}

/** A clock that stands still until a test moves it. Announces armed timers, so that no test sleeps. */
export class ManualClock implements Clock {
  private processMs = 0;
  private order = 0;
  private readonly timers = new Set<ArmedTimer>();
  private waiters: (() => void)[] = [];

  constructor(
    private wallMs: number = Date.UTC(2026, 0, 1),
    private upMs = 1_000_000,
  ) {}

  now(): InstantMs {
    return instantMs(this.wallMs);
  }

  bootTime(): BootMs {
    return bootMs(this.upMs);
  }

  after(delay: DurationMs, fn: () => void): CancelTimer {
    const timer = { dueMs: this.processMs + Math.max(0, delay), order: this.order++, fn };
    this.timers.add(timer);
    const waiters = this.waiters;
    this.waiters = [];
    for (const wake of waiters) wake();
    return () => {
      this.timers.delete(timer);
    };
  }

  /** How many timers are armed. */
  get armed(): number {
    return this.timers.size;
  }

  /** Resolves once a timer is armed; at once if one is. */
  waitForTimer(): Promise<void> {
    if (this.timers.size > 0) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  /** Moves every clock on and fires what falls due, in order. */
  advance(by: DurationMs): void {
    const target = this.processMs + by;
    for (;;) {
      const next = [...this.timers]
        .filter((timer) => timer.dueMs <= target)
        .sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0];
      if (next === undefined) break;
      this.moveTo(next.dueMs);
      this.timers.delete(next);
      next.fn();
    }
    this.moveTo(target);
  }

  /** The machine sleeps: wall and boot time go on, process timers do not. */
  suspend(forMs: DurationMs): void {
    this.wallMs += forMs;
    this.upMs += forMs;
  }

  /** Somebody sets the wall clock; no other clock notices. */
  setWall(to: InstantMs): void {
    this.wallMs = to;
  }

  private moveTo(processMs: number): void {
    const step = processMs - this.processMs;
    this.processMs = processMs;
    this.wallMs += step;
    this.upMs += step;
  }
}
