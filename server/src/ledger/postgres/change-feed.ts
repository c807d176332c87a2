import { durationMs, SECOND, type CancelTimer, type Clock, type Logger } from '@curfew/shared';
import type { Selectable } from 'kysely';
import type { Change, LedgerReader } from '../ledger.js';
import type { Tables } from '../tables.js';
import { PostgresConnection } from './postgres-connection.js';
import type { SeenLedger } from './seen-ledger.js';

/** Where servers tell each other of the newest revision. */
export const CHANGES_CHANNEL = 'curfew_changes';

/** A notification that was lost is made up for within this. */
const LOOK_AGAIN = durationMs(3 * SECOND);
const AT_ONCE = 1_000;

/** Says that anything may have changed: for whoever has missed what it was. */
const anythingChanged = (revision: number): Change => ({ revision, kind: 'ledger', id: '', deviceId: '' });

/** Who has to know of changes before listeners are told of them. */
export interface FirstToKnow {
  /** Takes changes in, from the moment in which they were read. */
  refresh(db: LedgerReader, changes: readonly Change[]): Promise<void>;
  /** Whether that is also to be done for what this server has changed itself. */
  concerns(changes: readonly Change[]): boolean;
}

export interface ChangeFeedParts {
  readonly url: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Is told of every change that is found here. */
  readonly seen: SeenLedger;
  readonly read: <T>(work: (db: LedgerReader) => Promise<T>) => Promise<T>;
}

/**
 * Tells listeners every change once, in the order of revisions, whichever server has made it. A notification says only
 * that there is something new; what it is stands in the ledger. So a lost one is found at the next look.
 */
export class ChangeFeed {
  private readonly listeners = new Set<(changes: readonly Change[]) => void>();
  private first: FirstToKnow = { refresh: () => Promise.resolve(), concerns: () => false };
  /** The revision up to which listeners were told. */
  private told = 0;
  /** Whether the ledger has lost something of that. */
  private hasLost = false;
  private looking: Promise<void> | undefined;
  private again = false;
  private connection: PostgresConnection | undefined;
  private connecting: Promise<void> | undefined;
  private cancel: CancelTimer = () => undefined;
  private stopped = false;

  constructor(private readonly parts: ChangeFeedParts) {}

  /** Begins with what is there now. */
  async start(): Promise<void> {
    const newest = await this.parts.read(newestChange);
    this.parts.seen.note(newest);
    this.told = newest?.revision ?? 0;
    await this.connect();
    this.lookLater();
  }

  onChange(listener: (changes: readonly Change[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** What this server has committed itself. When others have in between, what is theirs comes first. */
  async tell(base: number, revision: number, changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return;
    if (this.looking === undefined && base === this.told && !this.first.concerns(changes)) {
      this.told = revision;
      this.say(changes);
    } else await this.look();
  }

  /** The ledger has lost something of what was told: whoever listens looks at everything. */
  async startOver(): Promise<void> {
    this.hasLost = true;
    await this.look();
  }

  /** Has somebody know before listeners are told of what others have changed. */
  beforeTelling(first: FirstToKnow): void {
    this.first = first;
  }

  /** Has every listener look for work that waits. */
  wake(): void {
    this.say([{ ...anythingChanged(this.told), id: 'lead' }]);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel();
    await this.connecting;
    await this.looking;
    await this.connection?.close().catch(() => undefined);
  }

  /** Resolves when everything was told that was there when it was called, or when it cannot be read. */
  private look(): Promise<void> {
    this.again = true;
    this.looking ??= this.lookNow().finally(() => (this.looking = undefined));
    return this.looking;
  }

  private async lookNow(): Promise<void> {
    try {
      while (this.again) {
        this.again = false;
        while (await this.lookOnce());
      }
    } catch (error) {
      if (!this.stopped) this.parts.logger.warn('changes cannot be read, will look again', { error });
    }
  }

  /** Tells what is new; whether there may be more. */
  private async lookOnce(): Promise<boolean> {
    const { told } = this;
    const { newest, oldest, changes } = await this.parts.read(async (db) => {
      const found = await changesAfter(db, told);
      await this.first.refresh(db, found.changes);
      return found;
    });
    // A ledger that has forgotten, or a server that was away for longer than changes are kept.
    const revision = newest?.revision ?? 0;
    if (this.hasLost || revision < told || oldest > told + 1) {
      this.parts.logger.warn('changes were missed, so everything is looked at', { told, oldest, newest: revision });
      this.parts.seen.note(newest);
      const all = [anythingChanged(revision)];
      await this.parts.read((db) => this.first.refresh(db, all));
      this.hasLost = false;
      this.told = revision;
      this.say(all);
      return false;
    }
    const last = changes.at(-1);
    if (last === undefined) return false;
    this.parts.seen.note(last);
    this.told = last.revision;
    this.say(changes);
    return changes.length === AT_ONCE;
  }

  private say(changes: readonly Change[]): void {
    for (const listener of this.listeners) listener(changes);
  }

  private connect(): Promise<void> {
    this.connecting ??= this.connectNow().finally(() => (this.connecting = undefined));
    return this.connecting;
  }

  private async connectNow(): Promise<void> {
    try {
      const connection = await PostgresConnection.enter(this.parts.url, 'changes', this.parts.seen);
      this.connection = connection;
      const heard = (payload: string): void => {
        if (Number(payload) > this.told) void this.look();
      };
      await connection.listen(CHANGES_CHANNEL, heard, () => {
        if (this.stopped || this.connection !== connection) return;
        void this.connect();
      });
      // What came while nobody listened.
      void this.look();
    } catch (error) {
      this.connection?.destroy();
      if (!this.stopped) this.parts.logger.warn('changes of other servers are not heard, will try again', { error });
    }
  }

  private lookLater(): void {
    this.cancel = this.parts.clock.after(LOOK_AGAIN, () => {
      if (this.stopped) return;
      if (this.connection?.isLost !== false) void this.connect();
      void this.look();
      this.lookLater();
    });
  }
}

const newestChange = async (db: LedgerReader): Promise<Change | undefined> => {
  const newest = db.selectFrom('change').selectAll().orderBy('revision', 'desc').limit(1);
  const row = await newest.executeTakeFirst();
  return row === undefined ? undefined : changeOf(row);
};

const changeOf = ({ revision, kind, id, device_id, takes_away }: Selectable<Tables['change']>): Change => ({
  revision,
  kind: kind as Change['kind'],
  id,
  deviceId: device_id,
  ...(takes_away === 1 && { takesAway: true }),
});

/** What is newer than a revision, with the ends of what is kept. */
async function changesAfter(db: LedgerReader, told: number) {
  const rows = await db
    .selectFrom('change')
    .selectAll()
    .where('revision', '>', told)
    .orderBy('revision')
    .limit(AT_ONCE)
    .execute();
  const changes = rows.map(changeOf);
  if (changes.length > 0 && changes[0]?.revision === told + 1)
    return { newest: changes.at(-1), oldest: told + 1, changes };
  const oldest = await db.selectFrom('change').select('revision').orderBy('revision').limit(1).executeTakeFirst();
  return { newest: await newestChange(db), oldest: oldest?.revision ?? 0, changes };
}
