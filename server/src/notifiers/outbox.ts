import { DAY, newId, type Random } from '@curfew/shared';
import type { Selectable } from 'kysely';
import type { AuditRecord } from '../audit/audit-log.js';
import { IS_WAITING } from '../ledger/conditions.js';
import type { Ledger, LedgerReader } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';
import { takesEvent, type ChannelRecord } from './channel-record.js';

/** A notice that has failed at least once. */
export type DeliveryRow = Selectable<Tables['delivery']>;

/** Events that a channel is to get next, and where to look on after them. */
export interface Batch {
  readonly events: readonly AuditRecord[];
  readonly next: number;
  /** Whether the log went on when the look at it ended. */
  readonly more: boolean;
}

/** A delivery that is due, with its event. */
export interface DueDelivery {
  readonly delivery: DeliveryRow;
  readonly event: AuditRecord;
}

/** How an attempt is written down: arrived, or what comes next. */
export interface Settled {
  readonly event: Pick<AuditRecord, 'idx' | 'type'>;
  readonly attempts: number;
  readonly refusals: number;
  readonly state: DeliveryRow['state'];
  readonly error: string;
  readonly nextAttemptAtMs: number | null;
}

/** What one round of a channel has come to. */
export interface Round {
  readonly cursor: number;
  readonly settled: readonly Settled[];
  readonly lastError: string;
  readonly arrived: boolean;
}

/** How many rows one look reads, and how many it passes over before others get their turn. */
const [ROWS_AT_ONCE, ROWS_IN_A_LOOK] = [200, 2_000];
/** Longer texts of other servers are cut. */
const LONGEST_ERROR = 500;
const KEPT_MS = 7 * DAY;

/** What is to go to channels: the audit log from each channel's cursor on, and the deliveries that failed. */
export class Outbox {
  constructor(
    private readonly ledger: Ledger,
    private readonly random: Random,
  ) {}

  /** The next events that a channel takes, at most so many. */
  async read(channel: ChannelRecord, from: number, limit: number): Promise<Batch> {
    const events: AuditRecord[] = [];
    let next = from;
    for (let looked = 0; looked < ROWS_IN_A_LOOK; looked += ROWS_AT_ONCE) {
      const rows = await this.ledger.read((db) =>
        db.selectFrom('audit_event').selectAll().where('idx', '>=', next).orderBy('idx').limit(ROWS_AT_ONCE).execute(),
      );
      for (const row of rows) {
        if (events.length === limit) return { events, next, more: true };
        if (takesEvent(channel, row.type)) events.push(row);
        next = row.idx + 1;
      }
      if (rows.length < ROWS_AT_ONCE) return { events, next, more: false };
    }
    return { events, next, more: true };
  }

  /** Deliveries of a channel that are to be tried again now, the longest due first; and how many wait in all. */
  due(channelId: string, nowMs: number, limit: number): Promise<{ due: DueDelivery[]; waiting: number }> {
    return this.ledger.read(async (db) => {
      const waiting = await waitingDeliveries(db, channelId).execute();
      const due: DueDelivery[] = [];
      for (const delivery of waiting) {
        if (due.length === limit || (delivery.next_attempt_at_ms ?? 0) > nowMs) break;
        due.push({ delivery, event: await eventAt(db, delivery.event_idx) });
      }
      return { due, waiting: waiting.length };
    });
  }

  /** When the next delivery of a channel is to be tried again; undefined when none waits. */
  async nextDueAt(channelId: string): Promise<number | undefined> {
    const row = await this.ledger.read((db) => waitingDeliveries(db, channelId).limit(1).executeTakeFirst());
    return row?.next_attempt_at_ms ?? undefined;
  }

  /** Writes down what a round has come to, in one transaction; nothing when the channel is gone by then. */
  settle(channelId: string, nowMs: number, round: Round): Promise<void> {
    return this.ledger.write(async ({ db }) => {
      const updated = await db
        .updateTable('channel')
        .set({
          cursor: round.cursor,
          last_error: round.lastError.slice(0, LONGEST_ERROR),
          ...(round.arrived ? { last_delivered_at_ms: nowMs } : {}),
        })
        .where('id', '=', channelId)
        .returning('id')
        .executeTakeFirst();
      if (updated === undefined) return;
      for (const settled of round.settled) await this.settleOne(db, channelId, nowMs, settled);
    });
  }

  private async settleOne(db: LedgerReader, channelId: string, nowMs: number, settled: Settled): Promise<void> {
    const { event, attempts, refusals, state } = settled;
    const outcome = {
      state,
      attempts,
      refusals,
      last_error: settled.error.slice(0, LONGEST_ERROR),
      next_attempt_at_ms: settled.nextAttemptAtMs,
    };
    await db
      .insertInto('delivery')
      .values({
        id: newId('delivery', this.random),
        channel_id: channelId,
        event_idx: event.idx,
        event_type: event.type,
        created_at_ms: nowMs,
        ...outcome,
      })
      .onConflict((conflict) => conflict.columns(['channel_id', 'event_idx']).doUpdateSet(outcome))
      .execute();
  }

  /** The delivery of an event that was tried before and has not arrived. */
  failed(channelId: string, eventIdx: number): Promise<DeliveryRow | undefined> {
    return this.ledger.read((db) =>
      db
        .selectFrom('delivery')
        .selectAll()
        .where('channel_id', '=', channelId)
        .where('event_idx', '=', eventIdx)
        .executeTakeFirst(),
    );
  }

  /** Forgets deliveries that arrived a week ago. */
  async prune(nowMs: number): Promise<void> {
    const old = (db: LedgerReader) =>
      db
        .selectFrom('delivery')
        .select('id')
        .where('state', '=', 'delivered')
        .where('created_at_ms', '<', nowMs - KEPT_MS);
    const some = await this.ledger.read((db) => old(db).limit(1).executeTakeFirst());
    if (some === undefined) return;
    await this.ledger.write(async ({ db }) => {
      await db.deleteFrom('delivery').where('id', 'in', old(db)).execute();
    });
  }
}

const waitingDeliveries = (db: LedgerReader, channelId: string) =>
  db
    .selectFrom('delivery')
    .selectAll()
    .where('channel_id', '=', channelId)
    .where(IS_WAITING)
    .orderBy('next_attempt_at_ms');

const eventAt = (db: LedgerReader, idx: number): Promise<AuditRecord> =>
  db.selectFrom('audit_event').selectAll().where('idx', '=', idx).executeTakeFirstOrThrow();

/** How many events the log has. */
export async function logSize(db: LedgerReader): Promise<number> {
  const newest = await db.selectFrom('audit_event').select('idx').orderBy('idx', 'desc').limit(1).executeTakeFirst();
  return newest === undefined ? 0 : newest.idx + 1;
}
