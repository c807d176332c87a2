import { durationMs, SECOND, type CancelTimer, type Clock, type Logger } from '@curfew/shared';
import type { Connector } from '../connectors/connector.js';
import type { ConnectorKind, ConnectorParts } from '../connectors/connector-kind.js';
import type { LedgerReader } from '../ledger/ledger.js';
import { connectorBy, type ConnectorRecord } from '../resources/connector-record.js';
import type { Connectors } from '../resources/connectors.js';
import { checkedValues } from '../resources/field-values.js';
import type { ResourceRow } from '../resources/find-resource.js';

/** A resource that can be called, and how its kind wants to be called. */
export interface OpenConnector {
  readonly connector: Connector;
  readonly kind: ConnectorKind;
}

interface Kept extends OpenConnector {
  /** What it was made from: another one is made when that changes. */
  readonly madeFrom: string;
  users: number;
  isStale: boolean;
  cancelClose: CancelTimer;
}

/** How long connections are kept for the next call. */
const IDLE_MS = 30 * SECOND;

export interface OpenConnectorsParts {
  readonly connectors: Connectors;
  readonly parts: ConnectorParts;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The connectors of resources, made when they are needed, and closed when nothing has needed them for a while. */
export class OpenConnectors {
  private readonly kept = new Map<string, Kept>();

  constructor(private readonly given: OpenConnectorsParts) {}

  /** Makes a connector that nobody else uses; the caller closes it. Errors: CONNECTOR_INVALID, RESOURCE_INVALID, SECRET_UNREADABLE. */
  make(resource: ResourceRow, connector: ConnectorRecord): OpenConnector {
    const { connectors, parts } = this.given;
    const kind = connectors.kindOf(connector.kind);
    const given = JSON.parse(resource.target) as Record<string, string>;
    const target = checkedValues(kind.target, given, { code: 'RESOURCE_INVALID', name: 'target' });
    return { connector: kind.open({ ...connectors.valuesOf(connector), target }, parts), kind };
  }

  /** Works with the connector of a resource as it stands in the ledger. Errors: those of `make` and of the work. */
  async use<T>(
    resource: ResourceRow,
    connector: ConnectorRecord,
    work: (open: OpenConnector) => Promise<T>,
  ): Promise<T> {
    const one = this.take(resource, connector);
    one.users += 1;
    one.cancelClose();
    try {
      return await work(one);
    } finally {
      one.users -= 1;
      if (one.users === 0) this.keepForLater(resource.id, one);
    }
  }

  async closeAll(): Promise<void> {
    const all = [...this.kept.values()];
    this.kept.clear();
    for (const one of all) {
      one.cancelClose();
      await this.close(one);
    }
  }

  private take(resource: ResourceRow, connector: ConnectorRecord): Kept {
    const madeFrom = JSON.stringify([resource.target, connector.id, connector.settings, connector.sealed]);
    const before = this.kept.get(resource.id);
    if (before?.madeFrom === madeFrom) return before;
    const made: Kept = {
      ...this.make(resource, connector),
      madeFrom,
      users: 0,
      isStale: false,
      cancelClose: () => undefined,
    };
    this.kept.set(resource.id, made);
    if (before !== undefined) {
      before.isStale = true;
      before.cancelClose();
      if (before.users === 0) void this.close(before);
    }
    return made;
  }

  private keepForLater(resourceId: string, one: Kept): void {
    if (one.isStale) {
      void this.close(one);
      return;
    }
    one.cancelClose = this.given.clock.after(durationMs(IDLE_MS), () => {
      if (this.kept.get(resourceId) === one) this.kept.delete(resourceId);
      void this.close(one);
    });
  }

  private async close({ connector }: Kept): Promise<void> {
    try {
      await connector.close();
    } catch (error) {
      this.given.logger.warn('a connector did not close well', { error });
    }
  }
}

/** The connector of a resource. Undefined for one that is given through none. */
export const connectorOf = (db: LedgerReader, resource: ResourceRow): Promise<ConnectorRecord | undefined> =>
  connectorBy(db, 'id', resource.connector_id ?? '');
