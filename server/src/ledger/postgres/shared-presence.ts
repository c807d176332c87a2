import { durationMs, SECOND, type CancelTimer, type Clock, type Logger, type Random } from '@curfew/shared';
import { sql, type Kysely } from 'kysely';
import { devicesOf, type LinkPresence } from '../../link/link-presence.js';
import type { Change, Ledger, LedgerReader, LedgerTransaction } from '../ledger.js';
import type { Tables } from '../tables.js';
import type { FirstToKnow } from './change-feed.js';

/** What only a ledger of several servers has. */
interface SharedTables extends Tables {
  replica: { id: string; started_at_ms: number; seen_at_ms: number };
  device_link: { device_id: string; replica_id: string; instance: string; since_ms: number };
}

const shared = (db: LedgerReader): Kysely<SharedTables> => db;

const BEAT = durationMs(5 * SECOND);
/** A server that was not heard for so long is taken for dead: its links count as lost. */
const DEAD_AFTER_MS = 20 * SECOND;
/** How many links are written at once: everybody else's writes wait meanwhile. */
const AT_ONCE = 1_000;
/** PostgreSQL's clock: those of the servers may differ. */
const DATABASE_NOW = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;

export interface SharedPresenceParts {
  readonly ledger: Pick<Ledger, 'read' | 'write'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Which server holds which link, in the ledger. Every server knows all of it, from the changes that it is told. */
export class SharedPresence implements LinkPresence, FirstToKnow {
  private readonly id: string;
  private readonly others = new Set<string>();
  private readonly lost = new Map<string, number>();
  private held: () => ReadonlyMap<string, string> = () => new Map();
  private taken: (deviceId: string, instance: string) => void = () => undefined;
  private cancel: CancelTimer = () => undefined;
  private beating: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(private readonly parts: SharedPresenceParts) {
    this.id = parts.random.bytes(8).toString('hex');
  }

  isElsewhere(deviceId: string): boolean {
    return this.others.has(deviceId);
  }

  get elsewhere(): Iterable<string> {
    return this.others;
  }

  lostElsewhereAt(deviceId: string): number | undefined {
    return this.lost.get(deviceId);
  }

  async start(
    held: () => ReadonlyMap<string, string>,
    taken: (deviceId: string, instance: string) => void,
  ): Promise<void> {
    [this.held, this.taken] = [held, taken];
    await this.beat();
    await this.parts.ledger.read((db) => this.look(db, undefined));
    this.beatLater();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel();
    await this.beating;
    await this.parts.ledger
      .write((tx) => this.bury(tx, [this.id]))
      .catch((error: unknown) => {
        this.parts.logger.warn('the end of this server is not in the ledger; the others will notice', { error });
      });
  }

  async join(deviceId: string, instance: string): Promise<string | undefined> {
    const before = await this.parts.ledger.write(async (tx) => {
      const row = (await linksOf(tx.db, [deviceId])).get(deviceId);
      const link = { replica_id: this.id, instance, since_ms: this.parts.clock.now() };
      await shared(tx.db)
        .insertInto('device_link')
        .values({ device_id: deviceId, ...link })
        .onConflict((conflict) => conflict.column('device_id').doUpdateSet(link))
        .execute();
      tx.changed('device', deviceId, '');
      return row?.replica_id === this.id ? undefined : row?.instance;
    });
    this.others.delete(deviceId);
    return before;
  }

  async leave(deviceId: string): Promise<void> {
    await this.parts.ledger.write(async (tx) => {
      const mine = shared(tx.db).deleteFrom('device_link').where('device_id', '=', deviceId);
      const { numDeletedRows } = await mine.where('replica_id', '=', this.id).executeTakeFirst();
      if (numDeletedRows > 0n) tx.changed('device', deviceId, '');
    });
  }

  /** Takes in what others have changed; called before listeners are told of it, so that they see it. */
  async refresh(db: LedgerReader, changes: readonly Change[]): Promise<void> {
    const ids = devicesOf(changes);
    if (ids === undefined || ids.size > 0) await this.look(db, ids);
  }

  /** Whether a change is of a link that others held: this server has buried one of them, or holds the link itself now. */
  concerns(changes: readonly Change[]): boolean {
    return changes.some(({ kind, id }) => kind === 'device' && this.others.has(id));
  }

  private async look(db: LedgerReader, ids: ReadonlySet<string> | undefined): Promise<void> {
    let query = shared(db).selectFrom('device_link').select(['device_id', 'replica_id', 'instance']);
    if (ids !== undefined) query = query.where('device_id', 'in', [...ids]);
    const rows = await query.execute();
    const found = new Map(rows.filter((row) => row.replica_id !== this.id).map((row) => [row.device_id, row.instance]));
    for (const id of ids ?? new Set(this.others))
      if (!found.has(id) && this.others.delete(id)) this.lost.set(id, this.parts.clock.now());
    for (const [id, instance] of found) this.isWithAnother(id, instance);
  }

  private isWithAnother(deviceId: string, instance: string): void {
    this.others.add(deviceId);
    this.lost.delete(deviceId);
    if (this.held().has(deviceId)) this.taken(deviceId, instance);
  }

  private beatLater(): void {
    this.cancel = this.parts.clock.after(BEAT, () => {
      this.beating = this.beat()
        .catch((error: unknown) => {
          this.parts.logger.warn('this server cannot say that it lives, will try again', { error });
        })
        .then(() => {
          if (!this.stopped) this.beatLater();
        });
    });
  }

  /** Says that this server lives and which links it holds, and buries those that are dead. */
  private beat(): Promise<void> {
    return this.parts.ledger.write(async (tx) => {
      const db = shared(tx.db);
      const row = { started_at_ms: DATABASE_NOW, seen_at_ms: DATABASE_NOW };
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('replica')
        .values({ id: this.id, ...row })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ seen_at_ms: DATABASE_NOW }))
        .executeTakeFirst();
      if (numInsertedOrUpdatedRows === 0n) throw new Error('the ledger does not take this server in');
      const since = sql<number>`${DATABASE_NOW} - ${DEAD_AFTER_MS}`;
      const dead = await db.selectFrom('replica').select('id').where('seen_at_ms', '<', since).execute();
      if (dead.length > 0)
        await this.bury(
          tx,
          dead.map(({ id }) => id),
        );
      await this.agree(tx);
    });
  }

  /**
   * The ledger may lack a link whose beginning or end it could not take, or that it gave up while this server was silent.
   * A link that another server has is no more here: it may have been taken over before it was to be found among those held.
   */
  private async agree(tx: LedgerTransaction): Promise<void> {
    const db = shared(tx.db);
    const rows = await db.selectFrom('device_link').select('device_id').where('replica_id', '=', this.id).execute();
    const [held, noted] = [this.held(), new Set(rows.map((row) => row.device_id))];
    for (const ids of inParts([...noted].filter((id) => !held.has(id)))) {
      await db.deleteFrom('device_link').where('device_id', 'in', ids).where('replica_id', '=', this.id).execute();
      for (const id of ids) tx.changed('device', id, '');
    }
    const [replica_id, since_ms] = [this.id, this.parts.clock.now()];
    for (const some of inParts([...held].filter(([id]) => !noted.has(id)))) {
      const ids = some.map(([id]) => id);
      const elsewhere = await linksOf(tx.db, ids);
      for (const [id, taken] of elsewhere) this.isWithAnother(id, taken.instance);
      const links = some.flatMap(([device_id, instance]) =>
        elsewhere.has(device_id) ? [] : [{ device_id, replica_id, instance, since_ms }],
      );
      if (links.length > 0) await db.insertInto('device_link').values(links).execute();
      for (const { device_id } of links) tx.changed('device', device_id, '');
    }
  }

  /** Takes servers out of the ledger, with their links: those count as lost now. */
  private async bury(tx: LedgerTransaction, replicas: readonly string[]): Promise<void> {
    const db = shared(tx.db);
    const links = await db
      .deleteFrom('device_link')
      .where('replica_id', 'in', replicas)
      .returning('device_id')
      .execute();
    await db.deleteFrom('replica').where('id', 'in', replicas).execute();
    const ids = links.map((link) => link.device_id);
    if (ids.length === 0) return;
    await tx.db.updateTable('device').set({ last_seen_at_ms: this.parts.clock.now() }).where('id', 'in', ids).execute();
    for (const id of ids) tx.changed('device', id, '');
  }
}

/** Where links are, by device. */
async function linksOf(db: LedgerReader, deviceIds: readonly string[]) {
  const links = shared(db).selectFrom('device_link').select(['device_id', 'replica_id', 'instance']);
  const rows = await links.where('device_id', 'in', deviceIds).execute();
  return new Map(rows.map((row) => [row.device_id, row]));
}

function* inParts<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += AT_ONCE) yield all.slice(at, at + AT_ONCE);
}
