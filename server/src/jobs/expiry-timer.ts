import { durationMs, SECOND, type CancelTimer, type Clock, type Logger } from '@curfew/shared';
import type { Ledger } from '../ledger/ledger.js';
import type { LostSince } from '../sessions/offline-end.js';
import type { Sessions } from '../sessions/sessions.js';

/** The longest wait: a wall clock that was set forward is noticed within it. */
const LONGEST_WAIT_MS = 5_000;

/** Ends sessions in the ledger when their time is over: one timer, at the next deadline. */
export class ExpiryTimer {
  private cancel: CancelTimer = () => undefined;
  private running = false;
  private again = false;
  private stopped = false;
  private readonly unsubscribe: () => void;

  constructor(
    ledger: Ledger,
    private readonly sessions: Sessions,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly lostSince: LostSince,
  ) {
    this.unsubscribe = ledger.onChange((changes) => {
      if (changes.some(({ kind }) => kind === 'session')) void this.run();
    });
    void this.run();
  }

  stop(): void {
    this.stopped = true;
    this.cancel();
    this.unsubscribe();
  }

  private async run(): Promise<void> {
    if (this.running) {
      this.again = true;
      return;
    }
    this.running = true;
    let waitMs: number = SECOND;
    try {
      do {
        this.again = false;
        const next = await this.sessions.expireDue();
        await this.sessions.expireOffline(this.lostSince);
        waitMs = next === undefined ? LONGEST_WAIT_MS : Math.min(LONGEST_WAIT_MS, next - this.clock.now());
      } while (this.isAsked());
    } catch (error) {
      this.logger.error('expiry failed, will try again', { error });
    }
    this.running = false;
    this.cancel();
    if (!this.stopped)
      this.cancel = this.clock.after(durationMs(Math.max(0, waitMs)), () => {
        void this.run();
      });
  }

  private isAsked(): boolean {
    return this.again && !this.stopped;
  }
}
