import { MINUTE, type InstantMs } from '@curfew/shared';
import { sql } from 'kysely';
import { HAS_TO_BE_LOOKED_AT, IS_LIVE, IS_NOT_ENDED, IS_NOT_REMOVED } from '../ledger/conditions.js';
import type { LedgerReader } from '../ledger/ledger.js';
import type { LinkHub } from '../link/link-hub.js';
import type { UseCaseContext } from '../use-case-context.js';
import type { Caller } from '../users/caller.js';
import { SessionHistoryCounter, type SessionHistory } from './session-history.js';
import { reviewsWaiting, waitingFor } from './waiting-for.js';

/** What an operator wants to see first. */
export interface OverviewRecord extends SessionHistory {
  readonly activeSessions: number;
  readonly waitingRequests: number;
  readonly waitingForMe: number;
  readonly endingSoon: number;
  readonly waitingForDevice: number;
  readonly offlineDevicesWithSessions: string[];
  readonly devices: number;
  readonly devicesOnline: number;
  readonly reviewsWaiting: number;
  readonly devicesWithFindings: string[];
}

const SOON_MS = 15 * MINUTE;
const MOST_NAMES = 20;
/** Of a fleet that is out of reach, the names of so many devices are looked up. */
const MOST_LOOKED_UP = 1_000;
/** Counts what the ledger holds and whose link is up. */
export class Overview {
  private readonly history: SessionHistoryCounter;

  constructor(
    private readonly context: Pick<UseCaseContext, 'ledger' | 'clock'>,
    private readonly hub: Pick<LinkHub, 'isLinked' | 'linkedDevices'>,
  ) {
    this.history = new SessionHistoryCounter(context.ledger);
  }

  /** The present, as of one moment, and the last weeks. */
  async of(caller: Caller): Promise<OverviewRecord> {
    const { ledger, clock } = this.context;
    const now = clock.now();
    const present = await ledger.read(async (db) => ({
      ...(await this.sessions(db, now)),
      waitingRequests: await count(
        db.selectFrom('access_request').select(COUNT).where('state', '=', 'pending').executeTakeFirstOrThrow(),
      ),
      waitingForMe: await waitingFor(db, caller),
      reviewsWaiting: await reviewsWaiting(db),
      devices: await count(db.selectFrom('device').select(COUNT).where(IS_NOT_REMOVED).executeTakeFirstOrThrow()),
      devicesWithFindings: await devicesWithFindings(db),
    }));
    const history = await this.history.count(now);
    return { ...present, ...history, devicesOnline: this.hub.linkedDevices.length };
  }

  private async sessions(db: LedgerReader, now: InstantMs) {
    const live = await db
      .selectFrom('session')
      .select([BY_DEVICE.as('device_id'), sql<number>`count(*)`.as('count')])
      .select(sql<number>`count(case when expires_at_ms < ${now + SOON_MS} then 1 end)`.as('soon'))
      .where(IS_LIVE)
      .groupBy(BY_DEVICE)
      .execute();
    const ending = await db
      .selectFrom('session')
      .select([BY_DEVICE.as('device_id'), sql<number>`count(*)`.as('count')])
      .where(IS_NOT_ENDED)
      .where('state', '=', 'ending')
      .groupBy(BY_DEVICE)
      .execute();
    const offline = live.flatMap(({ device_id: id }) => (id === null || this.hub.isLinked(id) ? [] : [id]));
    return {
      activeSessions: sum(live, 'count'),
      endingSoon: sum(live, 'soon'),
      waitingForDevice: sum(
        ending.filter(({ device_id: id }) => id !== null && !this.hub.isLinked(id)),
        'count',
      ),
      offlineDevicesWithSessions: await namesOf(db, offline.slice(0, MOST_LOOKED_UP)),
    };
  }
}

/** With the bare column, SQLite takes an index of every session there ever was for the grouping. */
const BY_DEVICE = sql<string | null>`(device_id || '')`;
const COUNT = sql<number>`count(*)`.as('count');
const count = async (row: Promise<{ readonly count: number }>): Promise<number> => (await row).count;

const sum = <Key extends string>(rows: readonly Readonly<Record<Key, number>>[], key: Key): number =>
  rows.reduce((total, row) => total + row[key], 0);

async function namesOf(db: LedgerReader, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const devices = db.selectFrom('device').select('name').where('id', 'in', ids);
  const rows = await devices.orderBy('name').limit(MOST_NAMES).execute();
  return rows.map(({ name }) => name);
}

async function devicesWithFindings(db: LedgerReader): Promise<string[]> {
  const rows = await db
    .selectFrom('device')
    .select('name')
    .where(HAS_TO_BE_LOOKED_AT)
    .orderBy('name')
    .limit(MOST_NAMES)
    .execute();
  return rows.map(({ name }) => name);
}
