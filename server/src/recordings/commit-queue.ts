import { CurfewError } from '@curfew/shared';
import type Database from 'better-sqlite3';
import { nextTurn } from '../next-turn.js';

/** How much is written in one turn of the event loop, under one fsync; whatever else has arrived comes next. */
const [GROUP_BYTES, GROUP_UNITS] = [1_048_576, 64];
/** How much may wait. Whoever comes then is told to come again. */
const WAITING_BYTES = 32 * 1_048_576;
/** What a unit weighs without its bytes. */
const UNIT_BYTES = 1_024;

interface Unit {
  readonly weight: number;
  readonly run: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface CommitQueueOptions {
  readonly db: Database.Database;
  /** Called before each group. Errors: what the group is refused with. */
  readonly before: () => void;
  /** Called after each commit. */
  readonly after: () => void;
  /** What a failed group is refused with. */
  readonly failure: (error: unknown) => Error;
}

/** Small transactions in the order in which they came, several under one fsync, a bounded amount in each turn. */
export class CommitQueue {
  private waiting: Unit[] = [];
  private bytes = 0;
  private draining: Promise<void> | undefined;

  constructor(private readonly options: CommitQueueOptions) {}

  /** Resolves after the commit is on disk. An error of the work undoes the work alone. Errors: TOO_MANY_CALLS, `failure`. */
  write<T>(bytes: number, run: () => T): Promise<T> {
    const weight = bytes + UNIT_BYTES;
    if (this.bytes + weight > WAITING_BYTES)
      return Promise.reject(new CurfewError('TOO_MANY_CALLS', { what: 'recordings at a time', wait: 'a while' }));
    this.bytes += weight;
    return new Promise<T>((resolve, reject) => {
      this.waiting.push({ weight, run, resolve: resolve as (value: unknown) => void, reject });
      this.draining ??= this.drain();
    });
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.draining;
  }

  private async drain(): Promise<void> {
    while (this.waiting.length > 0) {
      // What comes in one turn is written together, and others have theirs in between.
      await nextTurn();
      this.commit(this.take());
    }
    this.draining = undefined;
  }

  private take(): Unit[] {
    let [count, weight] = [0, 0];
    for (const unit of this.waiting) {
      if (count > 0 && (count === GROUP_UNITS || weight + unit.weight > GROUP_BYTES)) break;
      count++;
      weight += unit.weight;
    }
    this.bytes -= weight;
    const taken = this.waiting.slice(0, count);
    this.waiting = this.waiting.slice(count);
    return taken;
  }

  private commit(units: readonly Unit[]): void {
    const { db, before, after, failure } = this.options;
    const settle: (() => void)[] = [];
    try {
      before();
      db.exec('begin immediate');
      for (const unit of units) settle.push(this.runUnit(unit));
      db.exec('commit');
    } catch (error) {
      const refusal = failure(error);
      this.undo();
      for (const { reject } of units) reject(refusal);
      return;
    }
    for (const done of settle) done();
    after();
  }

  private undo(): void {
    const { db, failure } = this.options;
    try {
      if (db.inTransaction) db.exec('rollback');
    } catch (error) {
      failure(error);
    }
  }

  private runUnit({ run, resolve, reject }: Unit): () => void {
    const { db } = this.options;
    db.exec('savepoint unit');
    try {
      const value = run();
      db.exec('release unit');
      return () => {
        resolve(value);
      };
    } catch (error) {
      if (!(error instanceof CurfewError) || !db.inTransaction) throw error;
      db.exec('rollback to unit; release unit');
      return () => {
        reject(error);
      };
    }
  }
}
