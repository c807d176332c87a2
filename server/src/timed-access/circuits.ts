import { SECOND, type Random } from '@curfew/shared';
import type { Ledger, LedgerTransaction } from '../ledger/ledger.js';
import { problemText } from './limited-call.js';
import { FAILURES_TO_OPEN, waitOutOfReach } from './retry-plan.js';

interface Circuit {
  /** When the last failure was noted, in the order of `begin`: what was begun before says nothing of it. */
  readonly failedAt: number;
  readonly failures: number;
  readonly nextAttemptMs: number | null;
}

const WELL: Circuit = { failedAt: 0, failures: 0, nextAttemptMs: null };

/**
 * Whether connectors answer. One that does not, so many times in a row, is asked now and then by one call at a time, until
 * one is answered. Kept in the ledger as well, so that a restart hurries nobody who asked to be left alone.
 */
export class Circuits {
  private readonly circuits = new Map<string, Circuit>();
  private begun = 0;

  constructor(
    private readonly ledger: Ledger,
    private readonly random: Random,
  ) {}

  async load(): Promise<void> {
    const rows = await this.ledger.read((db) =>
      db.selectFrom('connector').select(['id', 'failures', 'next_attempt_at_ms']).where('failures', '>', 0).execute(),
    );
    this.circuits.clear();
    const failedAt = this.begun;
    for (const row of rows)
      this.circuits.set(row.id, { failedAt, failures: row.failures, nextAttemptMs: row.next_attempt_at_ms });
  }

  /** A call begins: its place in the order of all. */
  begin(): number {
    this.begun += 1;
    return this.begun;
  }

  /** When the connector may be asked again; undefined when that is now. */
  closedUntil(connectorId: string, now: number): number | undefined {
    const { nextAttemptMs } = this.circuits.get(connectorId) ?? WELL;
    return nextAttemptMs !== null && nextAttemptMs > now ? nextAttemptMs : undefined;
  }

  /** Whether only one call at a time may find out how it is. */
  isOnTrial(connectorId: string): boolean {
    return (this.circuits.get(connectorId) ?? WELL).nextAttemptMs !== null;
  }

  isFailing(connectorId: string): boolean {
    return this.circuits.has(connectorId);
  }

  /** Notes, in the transaction, a call without an answer. Returns when the connector may be asked again, if it is later. */
  async noteFailure(
    tx: LedgerTransaction,
    connectorId: string,
    now: number,
    { error, retryAfterMs }: { readonly error: unknown; readonly retryAfterMs: number | undefined },
  ): Promise<number | undefined> {
    const before = this.circuits.get(connectorId) ?? WELL;
    const failures = before.failures + 1;
    const waitMs = waitOutOfReach(this.random, failures, retryAfterMs);
    const nextAttemptMs = waitMs === undefined ? null : now + waitMs;
    const { failing_since_ms: since } = (await tx.db
      .selectFrom('connector')
      .select('failing_since_ms')
      .where('id', '=', connectorId)
      .executeTakeFirst()) ?? { failing_since_ms: null };
    await tx.db
      .updateTable('connector')
      .set({
        failures,
        failing_since_ms: since ?? now,
        next_attempt_at_ms: nextAttemptMs,
        last_error: problemText(error),
      })
      .where('id', '=', connectorId)
      .execute();
    this.circuits.set(connectorId, { failedAt: this.begun, failures, nextAttemptMs });
    tx.changed('resource', connectorId);
    // What waits behind it is shown as waiting, and until when, to the second: calls that were under way together say the same.
    const isShown = Math.abs((nextAttemptMs ?? Infinity) - (before.nextAttemptMs ?? -Infinity)) < SECOND;
    if (nextAttemptMs !== null && !isShown) await touchWaiting(tx, connectorId);
    return nextAttemptMs ?? undefined;
  }

  /** Notes that a connector has answered a call: what waits for it has its turn now. */
  async noteAnswer(tx: LedgerTransaction, connectorId: string, begun: number, now: number): Promise<void> {
    const before = this.circuits.get(connectorId);
    if (before === undefined || begun <= before.failedAt) return;
    await tx.db
      .updateTable('connector')
      .set({ failures: 0, failing_since_ms: null, next_attempt_at_ms: null, last_error: '' })
      .where('id', '=', connectorId)
      .execute();
    this.circuits.delete(connectorId);
    tx.changed('resource', connectorId);
    // A single call without an answer says nothing of the others.
    if (before.nextAttemptMs === null) return;
    await tx.db
      .updateTable('resource_grant')
      .set({ due_at_ms: now })
      .where('due_at_ms', '>', now)
      .where('resource_id', 'in', tx.db.selectFrom('resource').select('id').where('connector_id', '=', connectorId))
      .execute();
    await touchWaiting(tx, connectorId);
  }
}

/** Whether so many failures in a row leave a connector alone but for a call now and then. */
export const isOpenCircuit = ({
  failures,
  next_attempt_at_ms,
}: {
  failures: number;
  next_attempt_at_ms: number | null;
}) => failures >= FAILURES_TO_OPEN && next_attempt_at_ms !== null;

/** Tells watchers that whatever waits for a connector is to be looked at again: in one statement, since it may be much. */
async function touchWaiting(tx: LedgerTransaction, connectorId: string): Promise<void> {
  const waiting = tx.db
    .selectFrom('resource_grant as g')
    .innerJoin('resource as r', 'r.id', 'g.resource_id')
    .select('g.session_id')
    .where('r.connector_id', '=', connectorId)
    .where('g.due_at_ms', 'is not', null);
  let revision = 0;
  for (const { session_id: id } of await waiting.execute()) revision = tx.changed('session', id);
  await tx.db.updateTable('session').set({ revision }).where('id', 'in', waiting).execute();
}
