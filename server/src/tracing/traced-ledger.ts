import type { Change, Ledger, LedgerTransaction, Urgency } from '../ledger/ledger.js';
import { LedgerInFront } from '../ledger/ledger-in-front.js';
import type { CallTrace, RunningCall } from './call-trace.js';

/** Stands before a ledger while calls are traced, and tells which change of it is the work of which call. */
export class TracedLedger extends LedgerInFront {
  constructor(
    ledger: Ledger,
    private readonly running: RunningCall,
  ) {
    super(ledger);
  }

  override write<T>(work: (tx: LedgerTransaction) => Promise<T>, urgency?: Urgency): Promise<T> {
    const call = this.running.getStore();
    if (call === undefined || call.isOver) return this.ledger.write(work, urgency);
    return this.traced(call, work, urgency);
  }

  /** Whoever is told goes on with work of their own, whichever call's change has woken them. */
  override onChange(listener: (changes: readonly Change[]) => void): () => void {
    return this.ledger.onChange((changes) => {
      this.running.run(undefined, listener, changes);
    });
  }

  private async traced<T>(
    call: CallTrace,
    work: (tx: LedgerTransaction) => Promise<T>,
    urgency: Urgency = 'in_turn',
  ): Promise<T> {
    const write = call.write(urgency);
    try {
      const value = await this.ledger.write((tx) => write.work(tx, work), urgency);
      write.done();
      return value;
    } catch (error) {
      write.failed(error);
      throw error;
    }
  }
}
