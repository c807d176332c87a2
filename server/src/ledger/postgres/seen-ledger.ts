import { CurfewError } from '@curfew/shared';
import type { Change } from '../ledger.js';
import { isAway } from './postgres-errors.js';

/** Runs one statement on a connection, and gives its rows. */
export type Ask = <Row extends object>(text: string, values?: readonly unknown[]) => Promise<Row[]>;

/** Which PostgreSQL a connection leads to. */
export interface Place {
  /** The identifier of the cluster, which a primary shares with its standbys; '' where that is not told. */
  readonly cluster: string;
  /**
   * Each standby that is promoted begins a timeline with a higher number. 0 on a standby, which may be promoted while the
   * connection is open, and where it is not told.
   */
  readonly timeline: number;
}

/** What is known of a new connection. */
export interface Admission {
  readonly place: Place;
  /** Whether a standby has been promoted that lacked what this server has seen. */
  readonly hasLost: boolean;
}

const NOT_TOLD: Place = { cluster: '', timeline: 0 };

/** The name of a segment of the log begins with the timeline (postgresql.org/docs/current/functions-admin.html). */
const PLACE = `select (select system_identifier::text from pg_control_system()) as cluster,
  case when pg_is_in_recovery() then '00000000' else pg_walfile_name(pg_current_wal_lsn()) end as file`;

const KEPT = `select (select min(revision) from change) as oldest,
  exists (select 1 from change where revision = $1 and kind = $2 and id = $3) as has`;

type SeenChange = Pick<Change, 'revision' | 'kind' | 'id'>;

const NOTHING: SeenChange = { revision: 0, kind: 'ledger', id: '' };

/**
 * What this server has seen of a ledger on PostgreSQL: its newest change, and the newest timeline. An address that leads to
 * PostgreSQL may lead to an older one for a while: a former primary, a standby that lags. What that one says is not told
 * to anybody. It is kept in memory: after a restart of the server, devices find out what is older than they have seen.
 */
export class SeenLedger {
  private newest = NOTHING;
  private readonly timelines = new Map<string, number>();
  /** How connections are ended, by where they lead. */
  private readonly open = new Map<() => void, Place>();

  /** The newest revision that was seen; 0 before the first. */
  get revision(): number {
    return this.newest.revision;
  }

  /** Notes what was committed or read. */
  note(change: SeenChange | undefined): void {
    if (change !== undefined && change.revision > this.revision) this.newest = change;
  }

  /** Whether another PostgreSQL of the same cluster has taken over since. */
  isSuperseded({ cluster, timeline }: Place): boolean {
    return timeline > 0 && timeline < (this.timelines.get(cluster) ?? 0);
  }

  /**
   * Looks where a new connection leads, and whether the ledger there holds what was seen. Errors: LEDGER_UNAVAILABLE when
   * it does not, and no standby was promoted that explains it; PostgreSQL's own.
   */
  async admit(ask: Ask): Promise<Admission> {
    const place = await placeOf(ask);
    this.assertCurrent(place);
    const isWhole = await this.isIn(ask);
    this.assertCurrent(place);
    if (isWhole) this.settle(place);
    else if (!this.isPromoted(place)) throw this.older();
    return { place, hasLost: !isWhole };
  }

  /**
   * Has a connection ended as soon as another PostgreSQL takes over from the one that it leads to, whatever it waits for: a
   * machine that is gone answers nothing. Returns what is called when it has ended by itself.
   */
  watch(place: Place, end: () => void): () => void {
    this.open.set(end, place);
    return () => {
      this.open.delete(end);
    };
  }

  /** Errors: LEDGER_UNAVAILABLE when another PostgreSQL has taken over from the one at a place. */
  assertCurrent(place: Place): void {
    if (!this.isSuperseded(place)) return;
    const known = this.timelines.get(place.cluster) ?? 0;
    const problem = `another PostgreSQL has taken over from the one that answers (its timeline is ${place.timeline}, and ${known} was seen)`;
    throw new CurfewError('LEDGER_UNAVAILABLE', { problem });
  }

  /** `seen` is the newest revision as of before the ledger was asked for its own. Errors: LEDGER_UNAVAILABLE. */
  assertReached(revision: number, seen: number): void {
    if (revision < seen) throw this.older();
  }

  /** Begins anew with a ledger that has lost something, once it says so itself. */
  restart(place: Place, newest: SeenChange | undefined): void {
    this.settle(place);
    this.newest = newest ?? NOTHING;
  }

  private settle({ cluster, timeline }: Place): void {
    this.timelines.set(cluster, Math.max(timeline, this.timelines.get(cluster) ?? 0));
    for (const [end, place] of [...this.open])
      if (this.isSuperseded(place)) {
        this.open.delete(end);
        end();
      }
  }

  private isPromoted({ cluster, timeline }: Place): boolean {
    const known = this.timelines.get(cluster) ?? 0;
    return known > 0 && timeline > known;
  }

  private older(): CurfewError {
    const problem = `PostgreSQL has an older one than this server has seen (revision ${this.revision}): a former primary, a standby that lags, or a copy`;
    return new CurfewError('LEDGER_UNAVAILABLE', { problem });
  }

  /** Whether the newest change that was seen is there, or is no longer kept since there are so many newer ones. */
  private async isIn(ask: Ask): Promise<boolean> {
    const { revision, kind, id } = this.newest;
    if (revision === 0) return true;
    const [found] = await ask<{ oldest: number | null; has: boolean }>(KEPT, [revision, kind, id]);
    return found?.has === true || (found?.oldest ?? 0) > revision;
  }
}

/** Whether a place is of a standby, as far as PostgreSQL tells. */
export const isStandby = ({ cluster, timeline }: Place): boolean => cluster !== '' && timeline === 0;

/** Whether a place is of a standby that was promoted after another place was looked at. */
export const hasTakenOver = (place: Place, from: Place | undefined): boolean =>
  place.cluster === from?.cluster && from.timeline > 0 && place.timeline > from.timeline;

/** For connections that do not note a loss. Errors: LEDGER_UNAVAILABLE until it is noted. */
export function assertWhole({ hasLost }: Admission): void {
  if (!hasLost) return;
  const problem = 'a standby has taken over that had not everything; that is noted in the ledger first';
  throw new CurfewError('LEDGER_UNAVAILABLE', { problem });
}

/** Some PostgreSQL that is not PostgreSQL's own does not tell; then the revision alone has to do. */
async function placeOf(ask: Ask): Promise<Place> {
  try {
    const [row] = await ask<{ cluster: string | null; file: string }>(PLACE);
    return { cluster: row?.cluster ?? '', timeline: Number.parseInt(row?.file.slice(0, 8) ?? '0', 16) };
  } catch (error) {
    if (isAway(error)) throw error;
    return NOT_TOLD;
  }
}
