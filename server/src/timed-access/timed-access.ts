import { CurfewError, type Clock, type Logger, type Random } from '@curfew/shared';
import type { ConnectorKind, ConnectorParts } from '../connectors/connector-kind.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Connectors } from '../resources/connectors.js';
import { findPresentResource, IS_THERE } from '../resources/find-resource.js';
import type { Resources, ResourceWish } from '../resources/resources.js';
import { callerActor, type Caller } from '../users/caller.js';
import { Circuits } from './circuits.js';
import { compareResource } from './compare.js';
import { Driver } from './driver.js';
import { GrantWorker } from './grant-worker.js';
import { Lanes } from './lanes.js';
import { OpenConnectors } from './open-connectors.js';
import { noticeOverdue } from './overdue.js';
import { ResourceCalls } from './resource-calls.js';
import { tryResource, type TryResult } from './try-resource.js';

/** Durations in milliseconds. */
export interface TimedAccessSettings {
  /** How long a resource may leave a session unconfirmed before operators are told. */
  readonly notifyAfterMs: number;
  readonly compareEveryMs: number;
  readonly allowLocalTargets: boolean;
  /** '' when connectors may run no programs. */
  readonly commandFolder: string;
}

export interface TimedAccessParts {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** What connectors may use. */
  readonly parts: ConnectorParts;
  readonly connectors: Connectors;
  readonly resources: Resources;
  readonly settings: TimedAccessSettings;
}

/** Timed access at work: resources follow the ledger, and are compared with it. */
export class TimedAccess {
  private readonly driver: Driver;
  private readonly calls: ResourceCalls;
  private readonly circuits: Circuits;
  private readonly open: OpenConnectors;
  private readonly lanes = new Lanes();
  private comparing: Promise<void> | undefined;

  constructor(private readonly parts: TimedAccessParts) {
    const { ledger, clock, random, logger, connectors } = parts;
    this.open = new OpenConnectors({ connectors, parts: parts.parts, clock, logger });
    this.circuits = new Circuits(ledger, random);
    this.calls = new ResourceCalls({ clock, logger, open: this.open, circuits: this.circuits });
    const { calls, circuits, lanes } = this;
    const kindOf = (name: string): ConnectorKind => connectors.kindOf(name);
    const worker = new GrantWorker({ ledger, clock, random, logger, calls, circuits, kindOf });
    this.driver = new Driver({ ledger, clock, logger, lanes, circuits, calls, worker });
  }

  start(): Promise<void> {
    return this.driver.start();
  }

  async stop(): Promise<void> {
    await this.driver.stop();
    await this.comparing;
    await this.open.closeAll();
  }

  /** Errors: RESOURCE_NOT_FOUND, RESOURCE_UNREACHABLE, RESOURCE_REFUSED, ID_AMBIGUOUS. */
  compare(given: string): Promise<void> {
    return compareResource(this.compareParts, given);
  }

  /** Tries a resource that is in the ledger or could be. Errors: RESOURCE_NOT_FOUND, RESOURCE_INVALID, CONNECTOR_NOT_FOUND, USER_NOT_FOUND, ID_AMBIGUOUS. */
  async try(caller: Caller, which: { readonly given: string } | ResourceWish, user: string): Promise<TryResult> {
    const { ledger, clock, resources } = this.parts;
    const isCandidate = !('given' in which);
    const resource = isCandidate
      ? await resources.candidate(which)
      : await ledger.read((db) => findPresentResource(db, which.given));
    const result = await tryResource(
      { ledger, clock, open: this.open, calls: this.calls },
      resource,
      isCandidate ? which.subjects : undefined,
      user,
    );
    // It makes the server call out, so it is noted who had that done.
    await ledger.write(async (tx) => {
      const data = { name: resource.name, kind: resource.kind, user, ok: result.problem === '' };
      const subject = isCandidate ? (resource.connector_id ?? resource.device_id ?? '') : resource.id;
      tx.audit({ type: 'resource.tried', actor: callerActor(caller), subject, data });
    });
    return result;
  }

  /** What is done every minute: operators are told of what is overdue, and a comparison begins where one is due. */
  async sweep(): Promise<void> {
    const { ledger, clock, settings, logger } = this.parts;
    await ledger.write((tx) => noticeOverdue(tx, clock.now(), settings.notifyAfterMs));
    // Not waited for: a resource that is slow must not keep the other sweeps waiting.
    this.comparing ??= this.compareDue()
      .catch((error: unknown) => logger.error('the comparison of resources failed, will run again', { error }))
      .finally(() => {
        this.comparing = undefined;
      });
  }

  private async compareDue(): Promise<void> {
    const { ledger, clock, settings, logger } = this.parts;
    const now = clock.now();
    const due = await ledger.read((db) =>
      db
        .selectFrom('resource')
        .select(['id', 'name', 'connector_id'])
        .where(IS_THERE)
        .where('connector_id', 'is not', null)
        .where((eb) =>
          eb.or([eb('compared_at_ms', 'is', null), eb('compared_at_ms', '<=', now - settings.compareEveryMs)]),
        )
        .orderBy('compared_at_ms')
        .execute(),
    );
    for (const { id, name, connector_id: connectorId } of due) {
      if (this.calls.isStopping()) return;
      if (this.circuits.closedUntil(connectorId ?? '', clock.now()) !== undefined) continue;
      try {
        await this.compare(id);
      } catch (error) {
        if (this.calls.isStopping()) return;
        if (!(error instanceof CurfewError)) throw error;
        logger.warn('a resource could not be compared, will try again', { resource: name, error });
      }
    }
  }

  private get compareParts() {
    const { ledger, clock } = this.parts;
    return { ledger, clock, lanes: this.lanes, calls: this.calls, circuits: this.circuits };
  }
}
