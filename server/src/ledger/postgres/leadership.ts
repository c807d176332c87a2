import { durationMs, SECOND, type CancelTimer, type Clock, type Logger } from '@curfew/shared';
import { PostgresConnection } from './postgres-connection.js';
import { readOnlyError } from './postgres-errors.js';
import type { SeenLedger } from './seen-ledger.js';

/** The advisory lock of the server that leads: 'curf' in ASCII, and the second of its kind. */
const LEADER = '1668641382, 2';
const TRY_AGAIN = durationMs(2 * SECOND);
/**
 * Beyond it the connection is taken for dead. The next one may come to a PostgreSQL that has taken over from a machine that is
 * gone, and then whatever else waits for that one is given up too.
 */
const ANSWER_LIMIT_MS = 10_000;
/** A standby has locks of its own, which say nothing of the primary's. */
const ASK = `select pg_is_in_recovery() as standby,
  case when pg_is_in_recovery() then false else pg_try_advisory_lock(${LEADER}) end as leads`;

export interface LeadershipParts {
  readonly url: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly seen: SeenLedger;
  /** Called when this server begins to lead, and when it does so no more. */
  readonly changed: () => void;
}

/**
 * Whether this server does what only one may do at a time, such as to send notices. PostgreSQL holds the lock for as long
 * as the connection lives, and gives it to another when that ends, however it ends.
 */
export class Leadership {
  private connection: PostgresConnection | undefined;
  private holds = false;
  private stopped = false;
  private asking: Promise<void> | undefined;
  private cancel: CancelTimer = () => undefined;

  constructor(private readonly parts: LeadershipParts) {}

  get leads(): boolean {
    return this.holds && this.connection?.isLost === false;
  }

  async start(): Promise<void> {
    await this.ask();
    this.askLater();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel();
    await this.asking;
    await this.connection?.close().catch(() => undefined);
  }

  private askLater(): void {
    this.cancel = this.parts.clock.after(TRY_AGAIN, () => {
      void this.ask().then(() => {
        if (!this.stopped) this.askLater();
      });
    });
  }

  private ask(): Promise<void> {
    this.asking ??= this.askNow().finally(() => (this.asking = undefined));
    return this.asking;
  }

  /** A leader asks for nothing new, but finds out that its connection is dead. */
  private async askNow(): Promise<void> {
    try {
      if (this.connection?.isLost !== false) {
        this.set(false);
        this.connection = await PostgresConnection.enter(this.parts.url, 'lead', this.parts.seen);
      }
      const held = 'select false as standby, true as leads';
      const row = await this.connection.probe<{ standby: boolean; leads: boolean }>(
        this.holds ? held : ASK,
        ANSWER_LIMIT_MS,
      );
      // Another connection may come to the primary.
      if (row?.standby === true) throw readOnlyError();
      this.set(row?.leads === true);
    } catch (error) {
      this.connection?.destroy();
      this.set(false);
      if (!this.stopped) this.parts.logger.warn('cannot ask who leads, will try again', { error });
    }
  }

  private set(holds: boolean): void {
    if (this.holds === holds) return;
    this.holds = holds;
    if (this.stopped) return;
    this.parts.logger.info(holds ? 'this server leads' : 'this server does not lead any more');
    this.parts.changed();
  }
}
