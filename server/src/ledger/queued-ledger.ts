import { NO_MEASURES, type Measures } from '../metrics/measures.js';
import { stopwatch } from '../metrics/stopwatch.js';
import { takeSome } from '../take-some.js';
import type { Ledger, LedgerTransaction, Urgency } from './ledger.js';
import { LedgerInFront } from './ledger-in-front.js';
import { isStorageRefusal } from './storage-refusal.js';

/** How many units of work that may wait are in the ledger at a time: as many as one group then has at the most. */
const MOST_AT_ONCE = 256;

/** A ledger that has not answered for so long takes no writes now. */
const STUCK_AFTER_MS = 5_000;

/**
 * Stands before a ledger and gives it no more than it can do in a moment. What takes rights away goes by all that waits; what
 * gives them waits here, in the order in which it came. So a revoke waits for one group, however much came before it.
 */
export class QueuedLedger extends LedgerInFront {
  private readonly waiting = new Set<() => void>();
  private inside = 0;
  private entered = 0;
  private idle: (() => void)[] = [];
  private failing = false;
  /** For how long each unit is in the ledger, oldest first. */
  private readonly ages = new Set<() => number>();
  /** Units that have run since the last commit, and since when. */
  private ran = 0;
  private sinceFirst: (() => number) | undefined;

  constructor(
    ledger: Ledger,
    private readonly measures: Measures = NO_MEASURES,
    private readonly stuckAfterMs = STUCK_AFTER_MS,
  ) {
    super(ledger);
  }

  /** How many units of work wait for their turn. */
  get depth(): number {
    return this.waiting.size;
  }

  /** Whether the last change could not be made durable. */
  get isFailing(): boolean {
    return this.failing;
  }

  /** Whether a change waits for the ledger for so long that others had better go elsewhere. */
  get isStuck(): boolean {
    const [oldest] = this.ages;
    return oldest !== undefined && oldest() >= this.stuckAfterMs;
  }

  override async write<T>(work: (tx: LedgerTransaction) => Promise<T>, urgency: Urgency = 'in_turn'): Promise<T> {
    const isFirst = urgency === 'first';
    const waited = stopwatch();
    this.entered += 1;
    try {
      if (!isFirst) await this.turn();
      return await this.inLedger(work, isFirst, waited);
    } finally {
      if (!isFirst) this.leave();
      this.entered -= 1;
      if (this.entered === 0) for (const tell of this.idle.splice(0)) tell();
    }
  }

  /** What waits is still done. */
  override async close(): Promise<void> {
    if (this.entered > 0) await new Promise<void>((resolve) => this.idle.push(resolve));
    await this.ledger.close();
  }

  private async inLedger<T>(
    work: (tx: LedgerTransaction) => Promise<T>,
    isFirst: boolean,
    waited: () => number,
  ): Promise<T> {
    const age = stopwatch();
    this.ages.add(age);
    try {
      const value = await this.ledger.write(async (tx) => {
        this.measures.waited(isFirst, waited());
        this.sinceFirst ??= stopwatch();
        this.ran += 1;
        return work(tx);
      });
      this.failing = false;
      return value;
    } catch (error) {
      if (isStorageRefusal(error)) this.failing = true;
      throw error;
    } finally {
      this.ages.delete(age);
      this.settled();
    }
  }

  /** Those of one group hear of its end together: the first of them speaks for all. */
  private settled(): void {
    if (this.sinceFirst === undefined) return;
    this.measures.committed(this.ran, this.sinceFirst());
    this.sinceFirst = undefined;
    this.ran = 0;
  }

  private async turn(): Promise<void> {
    // Whoever leaves hands the place on.
    if (this.inside >= MOST_AT_ONCE) await new Promise<void>((resolve) => this.waiting.add(resolve));
    else this.inside += 1;
  }

  private leave(): void {
    const [next] = takeSome(this.waiting, 1);
    if (next === undefined) this.inside -= 1;
    else next();
  }
}
