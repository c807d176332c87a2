import { durationMs, type CancelTimer, type Clock } from '@curfew/shared';
import { ConnectorError } from './connector.js';
import { stoppable, throwIfStopped } from './stoppable.js';

/** How a pool deals with its connections. */
export interface PoolParts<Connection> {
  readonly clock: Clock;
  /** Makes a connection that is ready for work, or cleans up what it has begun. Errors: ConnectorError. */
  readonly open: (signal: AbortSignal) => Promise<Connection>;
  readonly isOpen: (connection: Connection) => boolean;
  /** How many requests the connection has been answered. */
  readonly answers: (connection: Connection) => number;
  /** Ends a connection at once, whatever it is doing. */
  readonly destroy: (connection: Connection) => void;
}

/** A connection that nobody has used for this long is closed: servers and firewalls drop idle ones unsaid. */
const IDLE_LIMIT = durationMs(30_000);

/**
 * Connections to one resource, each used by one call at a time, so that a call that is stopped harms no other. How many
 * calls there are is the caller's to limit.
 */
export class ConnectionPool<Connection> {
  private readonly idle: { readonly connection: Connection; readonly cancel: CancelTimer }[] = [];
  private closed = false;

  constructor(private readonly parts: PoolParts<Connection>) {}

  /**
   * Runs `work` on a connection and stops it when the signal says so. It is run once more on a fresh connection when a
   * connection that had been idle turns out to be lost before it answers anything, so its first request must be one that
   * changes nothing. A later one may have been carried out, and the caller has to hear of that. Errors: ConnectorError.
   */
  async use<T>(signal: AbortSignal, work: (connection: Connection) => Promise<T>): Promise<T> {
    throwIfStopped(signal);
    const waiting = this.takeIdle();
    if (waiting !== undefined) {
      const before = this.parts.answers(waiting);
      try {
        return await this.run(waiting, signal, work);
      } catch (error) {
        const isUnheard = error instanceof ConnectorError && error.kind === 'unreachable';
        if (signal.aborted || !isUnheard || this.parts.answers(waiting) > before) throw error;
      }
    }
    return await this.run(await this.parts.open(signal), signal, work);
  }

  close(): void {
    this.closed = true;
    for (const { connection, cancel } of this.idle.splice(0)) {
      cancel();
      this.parts.destroy(connection);
    }
  }

  private async run<T>(
    connection: Connection,
    signal: AbortSignal,
    work: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    let isSound = false;
    try {
      const result = await stoppable(signal, work(connection), () => this.parts.destroy(connection));
      isSound = true;
      return result;
    } catch (error) {
      isSound = error instanceof ConnectorError && error.kind !== 'unreachable';
      throw error;
    } finally {
      if (isSound && !this.closed && this.parts.isOpen(connection)) this.keep(connection);
      else this.parts.destroy(connection);
    }
  }

  private takeIdle(): Connection | undefined {
    for (let kept = this.idle.pop(); kept !== undefined; kept = this.idle.pop()) {
      kept.cancel();
      if (this.parts.isOpen(kept.connection)) return kept.connection;
      this.parts.destroy(kept.connection);
    }
    return undefined;
  }

  private keep(connection: Connection): void {
    const cancel = this.parts.clock.after(IDLE_LIMIT, () => {
      this.idle.splice(
        this.idle.findIndex((kept) => kept.connection === connection),
        1,
      );
      this.parts.destroy(connection);
    });
    this.idle.push({ connection, cancel });
  }
}
