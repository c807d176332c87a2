import { CurfewError, type Clock, type Logger, type NoteSigningKey, type Random } from '@curfew/shared';
import { nextTurn } from '../../next-turn.js';
import { AuditWriter } from '../audit-writer.js';
import type { Change, Ledger, LedgerReader, LedgerTransaction } from '../ledger.js';
import { nameLedger } from '../ledger-meta.js';
import { CHANGES_CHANNEL, ChangeFeed, type FirstToKnow } from './change-feed.js';
import { assertDurablePostgres, PostgresConnection } from './postgres-connection.js';
import { isAway, isReadOnly, ledgerError, readOnlyError, wasLost } from './postgres-errors.js';
import { Leadership } from './leadership.js';
import { preparePostgres } from './postgres-migrations.js';
import { PostgresReaders } from './postgres-readers.js';
import { PostgresSessionSearch } from './postgres-search.js';
import { insertAudit, isThere, noteLoss, transactionOn, type Draft } from './postgres-transaction.js';
import { hasTakenOver, SeenLedger, type Place } from './seen-ledger.js';

export interface PostgresLedgerOptions {
  /** 'postgres://USER:PASSWORD@HOST:PORT/DATABASE', with sslmode and sslrootcert as libpq has them. */
  readonly url: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly noteKey: NoteSigningKey;
  readonly logger: Logger;
  /** Default: nothing was seen yet. */
  readonly seen?: SeenLedger;
}

interface Unit {
  readonly run: (tx: LedgerTransaction) => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** What the units of a group have done. */
interface Group extends Draft {
  /** The newest revision before it. */
  readonly base: number;
  readonly settle: (() => void)[];
  /** Set when it also says that the ledger has lost something. */
  readonly lossAt: PostgresConnection | undefined;
}

/** The advisory lock that a group of writes holds: 'curf' in ASCII, and the first of its kind. */
const WRITERS = '1668641382, 1';

/** One round trip: the lock, and then, with everything before it seen, where the ledger stands. */
const BEGIN = `begin isolation level read committed; select pg_advisory_xact_lock(${WRITERS});
  select coalesce((select max(revision) from change), 0) as revision, pg_current_xact_id()::text as xid,
    current_setting('transaction_read_only') = 'on' as read_only`;

/** How often, and after which waits, a server that is away is asked what became of a commit. */
const ASK_AGAIN_MS = [0, 200, 500, 1_000, 2_000] as const;

/**
 * The ledger on PostgreSQL, shared by several servers. A group of writes is one transaction under one lock, so that
 * revisions, audit log and generations have one order over all servers and nothing has to be tried again. What arrives
 * while a group is written shares the next one. Reads have connections of their own, and see one moment each.
 */
export class PostgresLedger implements Ledger {
  readonly sessionSearch = new PostgresSessionSearch();
  private readonly seen: SeenLedger;
  private readonly readers: PostgresReaders;
  private readonly auditWriter: AuditWriter;
  private readonly feed: ChangeFeed;
  private queue: Unit[] = [];
  private draining: Promise<void> | undefined;
  private writer: PostgresConnection | undefined;
  private isClosed = false;
  private trouble = '';
  private readonly leadership: Leadership;
  private readonly leadListeners = new Set<() => void>();

  private constructor(private readonly options: PostgresLedgerOptions) {
    this.seen = options.seen ?? new SeenLedger();
    this.readers = new PostgresReaders(options.url, this.seen);
    this.auditWriter = new AuditWriter(options.noteKey, (rows) => insertAudit(this.writer, rows));
    const { url, clock, logger } = options;
    const { seen } = this;
    this.feed = new ChangeFeed({ url, clock, logger, seen, read: (work) => this.read(work) });
    const changed = (): void => {
      for (const listener of this.leadListeners) listener();
      if (this.leads) this.feed.wake();
    };
    this.leadership = new Leadership({ url, clock, logger, seen, changed });
  }

  /** Opens the ledger, making or migrating it. Errors: STORAGE_UNSAFE, LEDGER_UNAVAILABLE. */
  static async open(options: PostgresLedgerOptions): Promise<PostgresLedger> {
    const ledger = new PostgresLedger(options);
    try {
      await preparePostgres(options.url);
      await ledger.write(({ db }) => nameLedger(db, options.random));
      await ledger.feed.start();
      await ledger.leadership.start();
      return ledger;
    } catch (error) {
      await ledger.close();
      throw ledgerError(error);
    }
  }

  async read<T>(work: (db: LedgerReader) => Promise<T>): Promise<T> {
    try {
      return await this.readers.read(work);
    } catch (error) {
      throw this.noted(error);
    }
  }

  write<T>(work: (tx: LedgerTransaction) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.queue.push({ run: work, resolve: resolve as (value: unknown) => void, reject });
      this.draining ??= this.drain();
    });
  }

  onChange(listener: (changes: readonly Change[]) => void): () => void {
    return this.feed.onChange(listener);
  }

  get problem(): string {
    return this.trouble;
  }

  get leads(): boolean {
    return this.leadership.leads;
  }

  onLead(listener: () => void): () => void {
    this.leadListeners.add(listener);
    return () => this.leadListeners.delete(listener);
  }

  /** Has somebody know before listeners are told of what other servers have changed. */
  beforeTelling(first: FirstToKnow): void {
    this.feed.beforeTelling(first);
  }

  /** PostgreSQL's own tools do this, for a whole cluster and to any moment. Errors: STORAGE_UNSAFE. */
  backup(): Promise<void> {
    const problem = 'a ledger on PostgreSQL is copied by PostgreSQL: pg_dump, pg_basebackup';
    return Promise.reject(new CurfewError('STORAGE_UNSAFE', { problem }));
  }

  async close(): Promise<void> {
    await this.draining;
    this.isClosed = true;
    await this.leadership.stop();
    await this.feed.stop();
    await this.writer?.close().catch(() => undefined);
    await this.readers.close();
  }

  /** What a caller is told, kept while it is true. */
  private noted(error: unknown): unknown {
    const known = ledgerError(error);
    if (known instanceof CurfewError && known.code === 'LEDGER_UNAVAILABLE') this.trouble = known.message;
    return known;
  }

  private async drain(): Promise<void> {
    do {
      await nextTurn();
      const units = this.queue;
      this.queue = [];
      await this.commitGroup(units);
    } while (this.queue.length > 0);
    this.draining = undefined;
  }

  /** The connection that writes; a new one knows nothing of what an older one has seen. */
  private async connection(): Promise<PostgresConnection> {
    if (this.writer?.isLost === false) return this.writer;
    if (this.isClosed) throw new CurfewError('LEDGER_UNAVAILABLE', { problem: 'it was closed' });
    this.auditWriter.reset();
    const writer = await PostgresConnection.enter(this.options.url, 'writes', this.seen, 'to note');
    try {
      await assertDurablePostgres(writer);
    } catch (error) {
      writer.destroy();
      // Not the one that this server was started on.
      if (error instanceof CurfewError)
        throw new CurfewError('LEDGER_UNAVAILABLE', { problem: error.message }, { cause: error });
      throw error;
    }
    this.writer = writer;
    return writer;
  }

  /** A connection that was lost while it had nothing to do fails now, with nothing done: a new one is asked. */
  private async begin(): Promise<{ readonly connection: PostgresConnection; readonly start: Start }> {
    const isOld = this.writer?.isLost === false;
    const connection = await this.connection();
    try {
      const [start] = await connection.run<Start>(BEGIN);
      if (start === undefined) throw new Error('PostgreSQL does not say where the ledger stands');
      return { connection, start };
    } catch (error) {
      if (!isOld || !wasLost(error)) throw error;
      connection.destroy();
      return this.begin();
    }
  }

  /** One transaction for all units. Nobody hears of success before PostgreSQL has said that it is on disk. */
  private async commitGroup(units: readonly Unit[]): Promise<void> {
    let group: Group | undefined;
    let committing = '';
    let place: Place | undefined;
    try {
      const seen = this.seen.revision;
      const { connection, start } = await this.begin();
      place = connection.place;
      // Also where nothing is to be written this time: who is told that all is well could not write the next time.
      if (start.read_only) throw readOnlyError();
      const lossAt = connection.hasLost ? connection : undefined;
      group = { base: start.revision, revision: start.revision, settle: [], changes: [], entries: [], lossAt };
      if (lossAt === undefined) this.seen.assertReached(start.revision, seen);
      else await noteLoss(transactionOn(connection, group));
      const alone = units.length === 1 && lossAt === undefined;
      for (const unit of units) await this.runUnit(connection, unit, group, alone);
      await this.record(connection, group);
      this.seen.assertCurrent(place);
      committing = start.xid;
      await connection.commit();
    } catch (error) {
      const outcome = committing === '' ? 'aborted' : await this.outcomeOf(committing, place, error, group);
      await this.undo(error);
      if (outcome !== 'committed' || group === undefined) {
        refuse(units, this.noted(error), outcome);
        return;
      }
    }
    this.trouble = '';
    await this.tell(group);
    for (const done of group.settle) done();
  }

  /** Tells listeners of what was committed. */
  private async tell({ base, revision, changes, lossAt }: Group): Promise<void> {
    if (lossAt === undefined) {
      this.seen.note(changes.at(-1));
      await this.feed.tell(base, revision, changes);
      return;
    }
    const { logger } = this.options;
    logger.error('a standby has taken over that had not everything: nothing is granted until curfew-server recover', {
      seen: this.seen.revision,
      newest: revision,
    });
    lossAt.lossIsNoted(changes.at(-1));
    await this.feed.startOver();
  }

  /** A group of one needs no savepoint: to undo it is to undo the transaction. */
  private async runUnit(connection: PostgresConnection, unit: Unit, group: Group, alone: boolean): Promise<void> {
    const own: Draft = { revision: group.revision, changes: [], entries: [] };
    const tx = transactionOn(connection, own);
    if (!alone) await connection.run('savepoint unit');
    try {
      const value = await unit.run(tx);
      if (!alone) await connection.run('release unit');
      group.settle.push(() => {
        unit.resolve(value);
      });
    } catch (error) {
      if (isAway(error) || connection.isLost) throw error;
      await connection.run(alone ? 'rollback; begin' : 'rollback to unit; release unit');
      group.settle.push(() => {
        unit.reject(error);
      });
      return;
    }
    group.revision = own.revision;
    for (const change of own.changes) group.changes.push(change);
    for (const entry of own.entries) group.entries.push(entry);
  }

  /** Writes down what all units together have changed, under one checkpoint. */
  private async record(connection: PostgresConnection, { changes, entries, revision }: Group): Promise<void> {
    if (entries.length > 0) await this.auditWriter.append(connection.db, entries, this.options.clock.now());
    if (changes.length === 0) return;
    const column = <Key extends keyof Change>(key: Key): Change[Key][] => changes.map((change) => change[key]);
    const losses = changes.map(({ takesAway }) => (takesAway === true ? 1 : 0));
    await connection.run(
      `with told as (insert into change (revision, kind, id, device_id, takes_away)
         select * from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::integer[]))
       select pg_notify('${CHANGES_CHANNEL}', $6)`,
      [column('revision'), column('kind'), column('id'), column('deviceId'), losses, String(revision)],
    );
  }

  /** A connection that was lost says nothing of the commit that it carried; the next one does. */
  private async outcomeOf(
    xid: string,
    place: Place | undefined,
    error: unknown,
    group: Group | undefined,
  ): Promise<'committed' | 'aborted' | 'unknown'> {
    if (this.writer?.isLost !== true && !isAway(error)) return 'aborted';
    for (const waitMs of ASK_AGAIN_MS) {
      await new Promise<void>((resolve) => {
        this.options.clock.after(waitMs as never, resolve);
      });
      try {
        this.writer?.destroy();
        const connection = await this.connection();
        const isMissing = async () => !(await isThere(connection, group?.changes.at(-1)));
        // What a standby had not got when it was promoted never comes.
        if (hasTakenOver(connection.place, place) && (await isMissing())) return 'aborted';
        const [asked] = await connection.run<{ status: string | null }>('select pg_xact_status($1::xid8) as status', [
          xid,
        ]);
        const status = asked?.status;
        // A standby that has taken over may have given the number to somebody else.
        if (status === 'committed' && (await isMissing())) return 'unknown';
        if (status === 'committed' || status === 'aborted') return status;
      } catch (again) {
        this.options.logger.warn('the ledger cannot be asked yet what became of a write', { error: again });
      }
    }
    return 'unknown';
  }

  /** What is not known to be whole is left: the connection as well. */
  private async undo(error: unknown): Promise<void> {
    this.auditWriter.reset();
    const { writer } = this;
    if (writer === undefined || writer.isLost) return;
    // A standby goes on answering; a new connection may come to the server that is in charge now.
    if (isAway(error) || isReadOnly(error)) writer.destroy();
    else
      await writer.run('rollback').catch(() => {
        writer.destroy();
      });
  }
}

/** Where the ledger stands as a transaction begins. */
interface Start {
  readonly revision: number;
  readonly xid: string;
  readonly read_only: boolean;
}

function refuse(units: readonly Unit[], error: unknown, outcome: 'aborted' | 'unknown' | 'committed'): void {
  const known = ledgerError(error);
  const detail = error instanceof Error ? error.message : String(error);
  const told =
    outcome === 'unknown'
      ? new CurfewError('LEDGER_OUTCOME_UNKNOWN', {}, { cause: error })
      : known instanceof CurfewError
        ? known
        : new CurfewError('STORAGE_FAILED', { detail }, { cause: error });
  for (const unit of units) unit.reject(told);
}
