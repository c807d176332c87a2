import { DAY } from '@curfew/shared';
import { sql } from 'kysely';
import type { Ledger, LedgerReader } from '../ledger/ledger.js';
import { nextTurn } from '../next-turn.js';

/** How often something came. */
interface NamedCount {
  readonly name: string;
  readonly count: number;
}

/** The sessions that began on one day of UTC, by kind. */
interface DayCount {
  /** 'YYYY-MM-DD'. */
  readonly day: string;
  readonly deviceAdmin: number;
  readonly timedAccess: number;
}

/** What the last weeks were like. */
export interface SessionHistory {
  /** Oldest first, without a gap; the last one is today. */
  readonly days: DayCount[];
  readonly topReasons: NamedCount[];
  readonly topUsers: NamedCount[];
}

/** Counts of some days. */
interface Tally {
  readonly days: DayCount[];
  readonly reasons: Map<string, number>;
  readonly users: Map<string, number>;
}

const DAYS = 30;
const MOST = 10;
/** Of the days that are over, so many reasons and users are kept: enough for today to change who is on top. */
const KEPT = 1_000;

/** Counts the sessions of the last 30 days of UTC: days that are over once, as nothing is added to them, today each time. */
export class SessionHistoryCounter {
  private past: { readonly today: number; readonly tally: Promise<Tally> } | undefined;

  constructor(private readonly ledger: Ledger) {}

  /** Today as of now, what was before as it was. */
  async count(nowMs: number): Promise<SessionHistory> {
    const today = Math.floor(nowMs / DAY);
    const past = await this.daysBefore(today);
    const now = await tallyOf(this.ledger, today, 1);
    const users = await withNames(this.ledger, mostFrequent([past.users, now.users]));
    return {
      days: [...past.days, ...now.days],
      topReasons: mostFrequent([past.reasons, now.reasons]),
      topUsers: users,
    };
  }

  private daysBefore(today: number): Promise<Tally> {
    if (this.past?.today !== today) {
      const tally = tallyOf(this.ledger, today - DAYS + 1, DAYS - 1);
      this.past = { today, tally };
      tally.catch(() => (this.past = undefined));
    }
    return this.past.tally;
  }
}

/** Counts so many days from one on, with a turn for others after each. All that is read of a session is in one index. */
async function tallyOf(ledger: Ledger, firstDay: number, count: number): Promise<Tally> {
  const tally: Tally = { days: [], reasons: new Map(), users: new Map() };
  for (let day = firstDay; day < firstDay + count; day++) {
    const { kinds, reasons, users } = await ledger.read(async (db) => ({
      kinds: await groups(db, day, 'kind'),
      reasons: await groups(db, day, 'reason'),
      users: await groups(db, day, 'user_id'),
    }));
    const of = (kind: string): number => kinds.find(({ name }) => name === kind)?.count ?? 0;
    const name = new Date(day * DAY).toISOString().slice(0, 10);
    tally.days.push({ day: name, deviceAdmin: of('device_admin'), timedAccess: of('timed_access') });
    add(tally.reasons, reasons);
    add(tally.users, users);
    await nextTurn();
  }
  return { ...tally, reasons: top(tally.reasons, KEPT), users: top(tally.users, KEPT) };
}

const groups = (db: LedgerReader, day: number, column: 'kind' | 'reason' | 'user_id'): Promise<NamedCount[]> =>
  db
    .selectFrom('session')
    .select([sql<string>`${sql.ref(column)}`.as('name'), sql<number>`count(*)`.as('count')])
    .where('created_at_ms', '>=', day * DAY)
    .where('created_at_ms', '<', (day + 1) * DAY)
    .groupBy(column)
    .execute();

function add(counts: Map<string, number>, more: Iterable<NamedCount>): void {
  for (const { name, count } of more) counts.set(name, (counts.get(name) ?? 0) + count);
}

/** The most frequent; of equals, the first by name. */
const top = (counts: ReadonlyMap<string, number>, most: number): Map<string, number> =>
  new Map([...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, most));

function mostFrequent(all: readonly ReadonlyMap<string, number>[]): NamedCount[] {
  const counts = new Map<string, number>();
  for (const some of all)
    add(
      counts,
      Array.from(some, ([name, count]) => ({ name, count })),
    );
  return Array.from(top(counts, MOST), ([name, count]) => ({ name, count }));
}

async function withNames(ledger: Ledger, ids: readonly NamedCount[]): Promise<NamedCount[]> {
  if (ids.length === 0) return [];
  const wanted = ids.map(({ name }) => name);
  const users = await ledger.read((db) =>
    db.selectFrom('app_user').select(['id', 'name']).where('id', 'in', wanted).execute(),
  );
  return ids.map(({ name: id, count }) => ({ name: users.find((user) => user.id === id)?.name ?? id, count }));
}
