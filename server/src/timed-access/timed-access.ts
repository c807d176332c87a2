import { CurfewError, type Logger } from '@curfew/shared';
import type { ConnectorKind, ConnectorParts } from '../connectors/connector-kind.js';
import type { Connectors } from '../resources/connectors.js';
import { findPresentResource, findResource, IS_THERE } from '../resources/find-resource.js';
import { resourceRecord, type ResourceRecord } from '../resources/resource-record.js';
import type { Resources, ResourceWish } from '../resources/resources.js';
import { NO_MEASURES } from '../metrics/measures.js';
import type { SessionRecord } from '../sessions/session-record.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from '../users/caller.js';
import { Circuits } from './circuits.js';
import { compareResource } from './compare.js';
import { Driver } from './driver.js';
import { GrantWorker } from './grant-worker.js';
import { Lanes } from './lanes.js';
import { OpenConnectors } from './open-connectors.js';
import { noticeOverdue } from './overdue.js';
import { ResourceCalls } from './resource-calls.js';
import { acceptDrift, giveDriftAgain, takeDriftAway, type Settlement } from './settle-drift.js';
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
  readonly context: UseCaseContext;
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
    const { logger, connectors } = parts;
    const { ledger, clock, random, measures = NO_MEASURES } = parts.context;
    this.open = new OpenConnectors({ connectors, parts: parts.parts, clock, logger });
    this.circuits = new Circuits(ledger, random);
    this.calls = new ResourceCalls({ clock, logger, open: this.open, circuits: this.circuits, measures });
    const { calls, circuits, lanes } = this;
    const kindOf = (name: string): ConnectorKind => connectors.kindOf(name);
    const worker = new GrantWorker({ ledger, measures, clock, random, logger, calls, circuits, kindOf });
    this.driver = new Driver({ ledger, measures, clock, logger, lanes, circuits, calls, worker });
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

  /** Says that a difference is well. Errors: those of `acceptDrift`. */
  acceptDrift(settlement: Settlement): Promise<ResourceRecord> {
    const { ledger, clock } = this.parts.context;
    return ledger.write(async (tx) => {
      const id = await acceptDrift(tx, clock.now(), settlement);
      return resourceRecord(tx.db, await findResource(tx.db, id));
    });
  }

  /** Gives what was removed by hand again. Errors: those of `giveDriftAgain`. */
  giveDriftAgain(settlement: Settlement): Promise<SessionRecord> {
    const { context } = this.parts;
    return context.ledger.write((tx) => giveDriftAgain(tx, context, settlement));
  }

  /** Takes away what is back after its end, and returns when that is confirmed. Errors: those of `takeDriftAway`. */
  async takeDriftAway(settlement: Settlement): Promise<ResourceRecord> {
    const id = await takeDriftAway(this.compareParts, settlement);
    return this.parts.resources.get(id);
  }

  /** Tries a resource that is in the ledger or could be. Errors: RESOURCE_NOT_FOUND, RESOURCE_INVALID, CONNECTOR_NOT_FOUND, USER_NOT_FOUND, ID_AMBIGUOUS. */
  async try(caller: Caller, which: { readonly given: string } | ResourceWish, user: string): Promise<TryResult> {
    const { resources } = this.parts;
    const { ledger, clock } = this.parts.context;
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
    const { settings, logger } = this.parts;
    const { ledger, clock } = this.parts.context;
    await ledger.write((tx) => noticeOverdue(tx, clock.now(), settings.notifyAfterMs));
    // Not waited for: a resource that is slow must not keep the other sweeps waiting.
    this.comparing ??= this.compareDue()
      .catch((error: unknown) => logger.error('the comparison of resources failed, will run again', { error }))
      .finally(() => {
        this.comparing = undefined;
      });
  }

  private async compareDue(): Promise<void> {
    const { settings, logger } = this.parts;
    const { ledger, clock } = this.parts.context;
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
    const { ledger, clock, random } = this.parts.context;
    return { ledger, clock, random, lanes: this.lanes, calls: this.calls, circuits: this.circuits };
  }
}
