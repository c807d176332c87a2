import { durationMs, type CancelTimer, type Clock, type Logger } from '@curfew/shared';
import type { Change, Ledger } from '../ledger/ledger.js';
import type { ConfirmedMove, Measures } from '../metrics/measures.js';
import { connectorOf } from './open-connectors.js';
import type { Circuits } from './circuits.js';
import { dueResources, dueTasks, endingUnbegun, taskOf, type DueResource, type GrantTask } from './grant-task.js';
import { confirmGone } from './grant-moves.js';
import type { GrantWorker } from './grant-worker.js';
import type { Lanes } from './lanes.js';
import { CircuitClosed, type Place, type ResourceCalls } from './resource-calls.js';
import { findResource } from '../resources/find-resource.js';

export interface DriverParts {
  readonly ledger: Ledger;
  readonly measures: Measures;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lanes: Lanes;
  readonly circuits: Circuits;
  readonly calls: ResourceCalls;
  readonly worker: GrantWorker;
}

/** The longest wait: a wall clock that was set forward is noticed within it. */
const LONGEST_WAIT_MS = 5_000;
/** While much happens, the ledger is asked no more often than this. */
const LEAST_WAIT_MS = 50;
/** After something went wrong that is no resource's fault, such as a full disk. */
const TROUBLE_WAIT_MS = 1_000;

/**
 * Makes resources agree with the ledger. It knows nothing that is not there: whatever it was doing when it was stopped,
 * it finds again by looking at what is due.
 */
export class Driver {
  private readonly working = new Set<string>();
  private cancel: CancelTimer = () => undefined;
  private looking = false;
  private again = false;
  private lastLookMs = -Infinity;
  private pausedUntilMs = 0;
  /** Resources at which nothing could be done for what is due, and until when they are left. */
  private readonly heldBackUntil = new Map<string, number>();
  private unsubscribe: () => void = () => undefined;
  private readonly runs = new Set<Promise<void>>();

  constructor(private readonly parts: DriverParts) {}

  async start(): Promise<void> {
    await this.parts.circuits.load();
    this.unsubscribe = this.parts.ledger.onChange((changes) => void this.noticed(changes));
    void this.look();
  }

  /** Ends what runs; what it was about is in the ledger. */
  async stop(): Promise<void> {
    this.unsubscribe();
    this.cancel();
    this.parts.calls.stop();
    while (this.runs.size > 0) await Promise.all(this.runs);
    await this.parts.lanes.settled();
  }

  private async noticed(changes: readonly Change[]): Promise<void> {
    const isConnector = changes.some(({ kind, id }) => kind === 'resource' && id.startsWith('con-'));
    try {
      if (isConnector && !this.parts.calls.isStopping()) await this.parts.circuits.load();
    } catch (error) {
      this.parts.logger.error('timed access could not read how connectors are, will try again', { error });
    }
    if (changes.some(({ kind }) => kind === 'session' || kind === 'resource' || kind === 'ledger')) this.wake();
  }

  /** Looks soon, and together for all that comes in the meantime. */
  private wake(): void {
    if (this.parts.calls.isStopping()) return;
    const now = this.parts.clock.now();
    const atMs = Math.max(this.lastLookMs + LEAST_WAIT_MS, this.pausedUntilMs);
    if (this.looking) this.again = true;
    else if (atMs <= now || this.lastLookMs > now) void this.look();
    else this.lookIn(atMs - now);
  }

  private lookIn(ms: number): void {
    this.cancel();
    if (this.parts.calls.isStopping()) return;
    this.cancel = this.parts.clock.after(durationMs(Math.max(0, ms)), () => void this.look());
  }

  private look(): Promise<void> {
    const run = this.lookNow();
    this.runs.add(run);
    return run.finally(() => this.runs.delete(run));
  }

  private async lookNow(): Promise<void> {
    if (this.looking || this.parts.calls.isStopping()) return;
    // Another server does this now; whoever begins to lead is woken.
    if (!this.parts.ledger.leads) return;
    this.looking = true;
    this.cancel();
    const { ledger, clock, logger, measures } = this.parts;
    let waitMs: number = TROUBLE_WAIT_MS;
    try {
      this.lastLookMs = clock.now();
      const unbegun = await ledger.read(endingUnbegun);
      if (unbegun.length > 0)
        measures.confirmed(
          await ledger.write(async (tx) => {
            const moves: ConfirmedMove[] = [];
            for (const id of unbegun) moves.push(...(await confirmGone(tx, id, clock.now())));
            return moves;
          }, 'first'),
        );
      const due = await ledger.read(dueResources);
      waitMs = Math.min(LONGEST_WAIT_MS, ...due.map((one) => this.begin(one, clock.now())));
    } catch (error) {
      logger.error('timed access could not look at what is due, will try again', { error });
    }
    this.looking = false;
    if (this.again) waitMs = LEAST_WAIT_MS;
    this.again = false;
    this.lookIn(waitMs);
  }

  /** Begins with a resource whose time has come, and says in how many ms to look at it again. */
  private begin({ resourceId, connectorId, dueAtMs }: DueResource, now: number): number {
    if (this.working.has(resourceId)) return LONGEST_WAIT_MS;
    const closedMs = this.parts.circuits.closedUntil(connectorId, now) ?? 0;
    const atMs = Math.max(dueAtMs, closedMs, this.pausedUntilMs, this.heldBackUntil.get(resourceId) ?? 0);
    if (atMs > now) return atMs - now;
    this.working.add(resourceId);
    this.heldBackUntil.delete(resourceId);
    const run = this.workThrough(resourceId)
      .catch((error: unknown) => {
        this.pausedUntilMs = this.parts.clock.now() + TROUBLE_WAIT_MS;
        this.parts.logger.error('timed access stopped at a resource, will try again', { resource: resourceId, error });
      })
      .finally(() => {
        this.runs.delete(run);
        this.working.delete(resourceId);
        this.wake();
      });
    this.runs.add(run);
    return LONGEST_WAIT_MS;
  }

  private async workThrough(resourceId: string): Promise<void> {
    const { ledger, clock, calls } = this.parts;
    let isFruitless = true;
    while (!calls.isStopping()) {
      const { place, tasks } = await ledger.read(async (db) => {
        const resource = await findResource(db, resourceId);
        const connector = await connectorOf(db, resource);
        return {
          place: connector === undefined ? undefined : { resource, connector },
          tasks: await dueTasks(db, resourceId, clock.now()),
        };
      });
      // Such as in a ledger that was rolled back: what is due must not be done.
      if (place === undefined || tasks.length === 0) {
        if (isFruitless) this.heldBackUntil.set(resourceId, clock.now() + TROUBLE_WAIT_MS);
        return;
      }
      isFruitless = false;
      if (!(await this.workOn(place, tasks))) return;
    }
  }

  /** Whether there may be more to do now. */
  private async workOn(place: Place, tasks: readonly GrantTask[]): Promise<boolean> {
    const { ledger, lanes, worker, calls } = this.parts;
    for (const task of tasks) {
      // Whoever leads now finds what is left.
      if (calls.isStopping() || !ledger.leads) return false;
      try {
        await lanes.run(place.resource.id, async () =>
          // What was due a moment ago may be revoked by now.
          worker.work(place, await ledger.read((db) => taskOf(db, task.sessionId))),
        );
      } catch (error) {
        if (error instanceof CircuitClosed || calls.isStopping()) return false;
        throw error;
      }
    }
    return true;
  }
}
