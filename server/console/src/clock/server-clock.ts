import { instantMs, type BootMs, type Clock, type InstantMs } from '@curfew/shared/browser';

/** How much a wall clock and the page's clock may part before the machine must have slept or its clock been set. */
const JUMP_MS = 1_500;

/**
 * The server's time, as far as it can be known from the `Date` of its answers. Each answer says that the server's clock
 * stood within one second somewhere between sending and receiving; the cuts of all those intervals soon agree to a few
 * milliseconds. Counts on the page's own clock, so that setting the wall clock moves no countdown.
 */
export class ServerClock {
  private earliest = -Infinity;
  private latest = Infinity;
  private parting: number;

  constructor(private readonly clock: Clock) {
    this.parting = this.measureParting();
  }

  /** The server's time now. Before the first answer, this machine's. */
  now(): InstantMs {
    return instantMs(this.clock.bootTime() + this.offset());
  }

  /** Whether an answer has been heard. */
  get known(): boolean {
    return this.latest !== Infinity;
  }

  /** Takes the `Date` of an answer (whole seconds), and when its request was sent and its head received. */
  observe(dateMs: number, sent: BootMs, received: BootMs): void {
    if (!Number.isFinite(dateMs)) return;
    const earliest = dateMs - received;
    const latest = dateMs + 1_000 - sent;
    const low = Math.max(this.earliest, earliest);
    const high = Math.min(this.latest, latest);
    // No common cut: one of the two clocks was set, or the machine slept. Only the newest answer counts then.
    [this.earliest, this.latest] = low <= high ? [low, high] : [earliest, latest];
  }

  /** Whether the machine has slept or its clock was set since the last look: ask the server for its time then. */
  jumped(): boolean {
    const now = this.measureParting();
    const jumped = Math.abs(now - this.parting) > JUMP_MS;
    if (jumped) this.parting = now;
    return jumped;
  }

  private offset(): number {
    return this.known ? (this.earliest + this.latest) / 2 : this.measureParting();
  }

  private measureParting(): number {
    return this.clock.now() - this.clock.bootTime();
  }
}
