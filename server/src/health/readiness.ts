import { durationMs, type Clock, type Logger } from '@curfew/shared';
import { existsSync } from 'node:fs';
import { stopwatch } from '../metrics/stopwatch.js';
import type { QueuedLedger } from '../ledger/queued-ledger.js';

/** Why a server is not ready, for those who send it work. */
export type NotReady = 'stopping' | 'ledger_unreadable' | 'ledger_unwritable' | 'keys_missing';

export interface ReadinessParts {
  readonly ledger: Pick<QueuedLedger, 'read' | 'write' | 'isFailing' | 'isStuck'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Files without which nothing could be signed after a restart. */
  readonly keyFiles: readonly string[];
}

/** How long an answer holds: anybody may ask, and as often as they like. */
const HOLDS_MS = 1_000;
/** How long the ledger may take. */
const WITHIN = durationMs(2_000);

/** Whether the server can do its work now. */
export class Readiness {
  private stopping = false;
  private known: { readonly problems: Promise<NotReady[]>; readonly age: () => number } | undefined;

  constructor(private readonly parts: ReadinessParts) {}

  /** From now on it is not ready: it ends. */
  stop(): void {
    this.stopping = true;
  }

  /** What is wrong; nothing when it is ready. As of now or of a second ago. */
  async problems(): Promise<NotReady[]> {
    if (this.known === undefined || this.known.age() >= HOLDS_MS)
      this.known = { problems: this.look(), age: stopwatch() };
    const found = await this.known.problems;
    return this.stopping ? ['stopping', ...found] : found;
  }

  private async look(): Promise<NotReady[]> {
    const { ledger, keyFiles } = this.parts;
    const found: NotReady[] = [];
    if (!(await this.within(() => ledger.read((db) => db.selectFrom('ledger_meta').select('key').limit(1).execute()))))
      found.push('ledger_unreadable');
    else if (ledger.isStuck) found.push('ledger_unwritable');
    // Only after a failed write is another one tried for this: while all is well, nothing is written for it.
    else if (ledger.isFailing && !(await this.within(() => ledger.write(noteAgain)))) found.push('ledger_unwritable');
    if (!keyFiles.every((file) => existsSync(file))) found.push('keys_missing');
    return found;
  }

  /** Whether the work is done, and in time. */
  private within(work: () => Promise<unknown>): Promise<boolean> {
    const { clock, logger } = this.parts;
    return new Promise<boolean>((resolve) => {
      const cancel = clock.after(WITHIN, () => {
        resolve(false);
      });
      const settle = (isDone: boolean): void => {
        cancel();
        resolve(isDone);
      };
      work().then(
        () => {
          settle(true);
        },
        (error: unknown) => {
          logger.warn('the server is not ready', { error });
          settle(false);
        },
      );
    });
  }
}

/** The smallest change that has to reach the disk. */
const noteAgain: Parameters<QueuedLedger['write']>[0] = (tx) => Promise.resolve(tx.changed('ledger', 'readiness'));
