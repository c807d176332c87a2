import type { Clock, Logger } from '@curfew/shared';
import type { ConnectorOutcome, Measures } from '../metrics/measures.js';
import { stopwatch } from '../metrics/stopwatch.js';
import { ConnectorError, type Connector } from '../connectors/connector.js';
import type { ConnectorRecord } from '../resources/connector-record.js';
import type { ResourceRow } from '../resources/find-resource.js';
import type { Circuits } from './circuits.js';
import { limitedCall } from './limited-call.js';
import type { OpenConnectors } from './open-connectors.js';
import { Slots } from './slots.js';

/** A resource, its connector, and what both are called by. */
export interface Place {
  readonly resource: ResourceRow;
  readonly connector: ConnectorRecord;
}

/** The connector is left alone until then. */
export class CircuitClosed extends Error {
  override readonly name = 'CircuitClosed';

  constructor(readonly untilMs: number) {
    super('the connector is left alone for now');
  }
}

export interface ResourceCallsParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly open: Pick<OpenConnectors, 'use'>;
  readonly circuits: Circuits;
  readonly measures: Measures;
}

export type ConnectorCall<T> = (connector: Connector, signal: AbortSignal) => Promise<T>;

/** Calls connectors: within their limits of time and of calls at once, and not while they are left alone. */
export class ResourceCalls {
  private readonly slots = new Map<string, Slots>();
  /** One call at a time for connectors that are on trial. */
  private readonly trials = new Map<string, Slots>();
  private readonly stopping = new AbortController();

  constructor(private readonly parts: ResourceCallsParts) {}

  /**
   * One call. What `begin` does is done when the call's turn has come, right before it. Errors: CircuitClosed, and those of
   * `begin`, before anything was sent; ConnectorError, 'refused' also when the connector cannot be made from what the
   * ledger holds.
   */
  async call<T>(
    { resource, connector }: Place,
    isUrgent: boolean,
    call: ConnectorCall<T>,
    begin: () => Promise<void> = () => Promise.resolve(),
  ): Promise<T> {
    const { clock, circuits, open } = this.parts;
    let isBeginning = false;
    this.assertOpen(connector.id);
    const leaveTrial = circuits.isOnTrial(connector.id)
      ? await this.enter(this.trials, connector.id, 1, isUrgent)
      : undefined;
    try {
      // Whoever was on trial before may have found out that it is still out of reach.
      this.assertOpen(connector.id);
      return await open
        .use(resource, connector, async ({ connector: port, kind }) => {
          const leave = await this.enter(this.slots, connector.id, kind.callsAtOnce, isUrgent);
          try {
            this.assertOpen(connector.id);
            isBeginning = true;
            await begin();
            isBeginning = false;
            return await this.measured(kind.kind, () =>
              limitedCall(clock, kind.callLimitMs, this.stopping.signal, (signal) => call(port, signal)),
            );
          } finally {
            leave();
          }
        })
        .catch((error: unknown) => {
          if (isBeginning || error instanceof ConnectorError || error instanceof CircuitClosed) throw error;
          this.parts.logger.error('a connector could not be made', { connector: connector.name, error });
          throw new ConnectorError('refused', error instanceof Error ? error.message : String(error));
        });
    } finally {
      leaveTrial?.();
    }
  }

  isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  get stopSignal(): AbortSignal {
    return this.stopping.signal;
  }

  /** Ends the calls that run. */
  stop(): void {
    this.stopping.abort();
  }

  private async measured<T>(kind: string, call: () => Promise<T>): Promise<T> {
    const took = stopwatch();
    let outcome: ConnectorOutcome = 'failed';
    try {
      const answer = await call();
      outcome = 'ok';
      return answer;
    } catch (error) {
      if (error instanceof ConnectorError) outcome = error.kind;
      throw error;
    } finally {
      this.parts.measures.connectorCall(kind, outcome, took());
    }
  }

  private assertOpen(connectorId: string): void {
    const untilMs = this.parts.circuits.closedUntil(connectorId, this.parts.clock.now());
    if (untilMs !== undefined) throw new CircuitClosed(untilMs);
    if (this.isStopping()) throw new CircuitClosed(Infinity);
  }

  private enter(from: Map<string, Slots>, key: string, count: number, isUrgent: boolean): Promise<() => void> {
    const slots = from.get(key) ?? new Slots(count);
    from.set(key, slots);
    return slots.enter(isUrgent);
  }
}
