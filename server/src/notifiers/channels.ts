import { CurfewError, newId } from '@curfew/shared';
import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import { readMeta } from '../ledger/ledger-meta.js';
import { afterCursor, cutPage, pageSize, readPageToken } from '../ledger/paging.js';
import type { Tables } from '../ledger/tables.js';
import type { SecretBox } from '../secrets/secret-box.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from '../users/caller.js';
import { roleContains } from '../users/role.js';
import { findUser } from '../users/users.js';
import type { DeliveryState } from './channel-kind.js';
import { allChannels, channelBy, findChannel, type ChannelRecord } from './channel-record.js';
import { checkChannel, hostOf, type ChannelWish } from './channel-rules.js';
import { logSize } from './outbox.js';
import { NO_MAIL } from './sender-factory.js';
import type { TargetGuard } from './targets/target-guard.js';

/** A channel and how it does. */
export type ChannelStatus = ChannelRecord & { readonly waiting: number; readonly dead: number };
export type DeliveryRecord = Selectable<Tables['delivery']> & { readonly channel_name: string };

export interface DeliveryListInput {
  readonly channel: string;
  readonly state: DeliveryState | undefined;
  readonly pageSize: number;
  readonly pageToken: string;
}

export interface ChannelsParts {
  readonly context: UseCaseContext;
  readonly secrets: SecretBox;
  readonly guard: TargetGuard;
  readonly hasMail: boolean;
  /** Called after a channel was made, changed or removed, or is to hurry; what it returns is waited for. */
  readonly onChange: (channelId: string, what: 'changed' | 'hurry') => Promise<void>;
}

const NEWEST_FIRST = { column: 'd.created_at_ms', descending: true } as const;
const WEBHOOK_SECRET_BYTES = 32;

const invalid = (field: string, problem: string): CurfewError => new CurfewError('CHANNEL_INVALID', { field, problem });

/** Where notices go: made, changed, removed, looked after. */
export class Channels {
  constructor(private readonly parts: ChannelsParts) {}

  list(): Promise<ChannelStatus[]> {
    return this.parts.context.ledger.read(async (db) => {
      const channels = [];
      for (const channel of await allChannels(db)) channels.push(await withCounts(db, channel));
      return channels;
    });
  }

  /** Errors: CHANNEL_NOT_FOUND, ID_AMBIGUOUS. */
  find(given: string): Promise<ChannelRecord> {
    return this.parts.context.ledger.read((db) => findChannel(db, given));
  }

  /**
   * Makes the channel of a name or changes it. A new one begins with what happens from now on; one that is enabled again
   * goes on where it stopped. Gives the secret that was made for a new webhook, '' otherwise.
   * Errors: CHANNEL_INVALID, TARGET_NOT_ALLOWED, USER_NOT_FOUND, METHOD_NOT_ALLOWED.
   */
  async put(caller: Caller, wish: ChannelWish): Promise<{ channel: ChannelStatus; secret: string }> {
    const { context, guard, hasMail } = this.parts;
    checkChannel(wish);
    if (wish.kind === 'mail' && !hasMail) throw invalid('channel.kind', NO_MAIL);
    const host = hostOf(wish);
    if (host !== undefined) await guard.checkHost(host);
    const made = await context.ledger.write(async (tx) => {
      const before = await channelBy(tx.db, 'name_key', wish.name.toLowerCase());
      await assertMayPut(tx.db, caller, wish, before);
      await assertFileIsFree(tx.db, wish, before?.id);
      const put = await (before === undefined ? this.create(tx, caller, wish) : this.change(tx, caller, wish, before));
      // For the server that leads, which may be another one.
      tx.changed('ledger', put.id);
      return put;
    });
    await this.parts.onChange(made.id, 'changed');
    return { channel: await this.status(made.id), secret: made.secret };
  }

  private async create(
    tx: LedgerTransaction,
    caller: Caller,
    wish: ChannelWish,
  ): Promise<{ id: string; secret: string }> {
    const { random, clock } = this.parts.context;
    if (wish.kind === 'slack' && wish.secret === '') throw invalid('secret', 'is required for a new channel on Slack');
    const isMade = wish.kind === 'webhook' && wish.secret === '';
    const secret = isMade ? `whsec_${random.bytes(WEBHOOK_SECRET_BYTES).toString('base64')}` : wish.secret;
    const id = newId('channel', random);
    await tx.db
      .insertInto('channel')
      .values({
        id,
        ...columnsOf(wish),
        kind: wish.kind,
        name_key: wish.name.toLowerCase(),
        secret: secret === '' ? '' : this.parts.secrets.seal(secret, id),
        created_at_ms: clock.now(),
        cursor: await logSize(tx.db),
        last_error: '',
        last_delivered_at_ms: null,
      })
      .execute();
    await putSlackUsers(tx.db, id, wish);
    tx.audit({ type: 'channel.created', actor: callerActor(caller), subject: id, data: auditOf(wish) });
    return { id, secret: isMade ? secret : '' };
  }

  private async change(
    tx: LedgerTransaction,
    caller: Caller,
    wish: ChannelWish,
    { id, kind }: ChannelRecord,
  ): Promise<{ id: string; secret: string }> {
    if (kind !== wish.kind) throw invalid('channel.kind', `is ${kind} and cannot be changed; delete the channel first`);
    const secret = wish.secret === '' ? {} : { secret: this.parts.secrets.seal(wish.secret, id) };
    await tx.db
      .updateTable('channel')
      .set({ ...columnsOf(wish), ...secret })
      .where('id', '=', id)
      .execute();
    await putSlackUsers(tx.db, id, wish);
    tx.audit({ type: 'channel.updated', actor: callerActor(caller), subject: id, data: auditOf(wish) });
    return { id, secret: '' };
  }

  /** Removes a channel and what waits for it. Idempotent: one that is not there is no error. Errors: ID_AMBIGUOUS. */
  async delete(caller: Caller, given: string): Promise<void> {
    const id = await this.parts.context.ledger.write(async (tx) => {
      const channel = await findChannel(tx.db, given).catch((error: unknown) => {
        if (error instanceof CurfewError && error.code === 'CHANNEL_NOT_FOUND') return undefined;
        throw error;
      });
      if (channel === undefined) return undefined;
      await tx.db.deleteFrom('channel').where('id', '=', channel.id).execute();
      const data = { name: channel.name, kind: channel.kind };
      tx.audit({ type: 'channel.deleted', actor: callerActor(caller), subject: channel.id, data });
      tx.changed('ledger', channel.id);
      return channel.id;
    });
    if (id !== undefined) await this.parts.onChange(id, 'changed');
  }

  /** A page of deliveries, newest first, and how many fit. Errors: PAGE_TOKEN_INVALID, CHANNEL_NOT_FOUND. */
  deliveries(
    input: DeliveryListInput,
  ): Promise<{ deliveries: DeliveryRecord[]; nextPageToken: string; total: number }> {
    const size = pageSize(input.pageSize);
    return this.parts.context.ledger.read(async (db) => {
      const { cursorKey } = await readMeta(db);
      const scope = `deliveries ${JSON.stringify([input.channel, input.state ?? ''])}`;
      const cursor = readPageToken(cursorKey, scope, input.pageToken);
      let matching = db.selectFrom('delivery as d').innerJoin('channel as c', 'c.id', 'd.channel_id');
      if (input.channel !== '') matching = matching.where('c.id', '=', (await findChannel(db, input.channel)).id);
      if (input.state !== undefined) matching = matching.where('d.state', '=', input.state);
      let page = matching
        .selectAll('d')
        .select(['c.name as channel_name', 'd.created_at_ms as sort_key'])
        .orderBy('d.created_at_ms', 'desc')
        .orderBy('d.id')
        .limit(size + 1);
      if (cursor !== undefined) page = page.where(afterCursor(NEWEST_FIRST.column, 'd.id', NEWEST_FIRST, cursor));
      const rows = await page.execute();
      const { total } = await matching.select(({ fn }) => fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      const { shown, nextPageToken } = cutPage(rows, size, cursorKey, scope);
      return { deliveries: shown.map(({ sort_key: _, ...row }) => row), nextPageToken, total };
    });
  }

  /** Puts dead deliveries back in line and has the waiting ones tried now. Gives how many were dead. Errors: CHANNEL_NOT_FOUND. */
  async retry(caller: Caller, given: string): Promise<number> {
    const { ledger, clock } = this.parts.context;
    const { id, retried } = await ledger.write(async (tx) => {
      const channel = await findChannel(tx.db, given);
      const mine = tx.db.updateTable('delivery').where('channel_id', '=', channel.id);
      await mine.set({ next_attempt_at_ms: clock.now() }).where('state', '=', 'waiting').execute();
      const rows = await mine
        .set({ state: 'waiting', refusals: 0, next_attempt_at_ms: clock.now() })
        .where('state', '=', 'dead')
        .returning('id')
        .execute();
      const data = { name: channel.name, deliveries: rows.length };
      if (rows.length > 0) tx.audit({ type: 'channel.retried', actor: callerActor(caller), subject: channel.id, data });
      return { id: channel.id, retried: rows.length };
    });
    await this.parts.onChange(id, 'hurry');
    return retried;
  }

  /** Notes who had a channel tried: it makes the server call whomever the channel points at. */
  tested(caller: Caller, { id, name }: ChannelRecord, arrived: boolean): Promise<void> {
    return this.parts.context.ledger.write(async (tx) => {
      tx.audit({ type: 'channel.tested', actor: callerActor(caller), subject: id, data: { name, arrived } });
    });
  }

  private status(id: string): Promise<ChannelStatus> {
    return this.parts.context.ledger.read(async (db) => withCounts(db, await findChannel(db, id)));
  }
}

const columnsOf = (wish: ChannelWish) => ({
  name: wish.name,
  target: wish.target,
  event_types: JSON.stringify(wish.eventTypes),
  disabled: Number(wish.disabled),
});

/** What the audit log says of a channel: of its secret only whether one was set. */
const auditOf = (wish: ChannelWish) => ({
  name: wish.name,
  kind: wish.kind,
  target: wish.target,
  eventTypes: [...wish.eventTypes],
  disabled: wish.disabled,
  slackUsers: wish.slackUsers.map(({ slackId, user }) => `${slackId}=${user}`),
  secretSet: wish.secret !== '',
});

async function putSlackUsers(db: LedgerReader, channelId: string, { slackUsers }: ChannelWish): Promise<void> {
  await db.deleteFrom('channel_slack_user').where('channel_id', '=', channelId).execute();
  for (const { slackId, user } of slackUsers) {
    const row = { channel_id: channelId, slack_id: slackId, user_id: (await findUser(db, user)).id };
    await db.insertInto('channel_slack_user').values(row).execute();
  }
}

/**
 * A channel on Slack says who decides there, and in whose name, so it is the owners'. Others may still disable it.
 * Errors: METHOD_NOT_ALLOWED, USER_NOT_FOUND.
 */
async function assertMayPut(
  db: LedgerReader,
  caller: Caller,
  wish: ChannelWish,
  before: ChannelRecord | undefined,
): Promise<void> {
  if (wish.kind !== 'slack' || roleContains(caller.role, 'owner')) return;
  if (before !== undefined && (await onlyDisables(db, wish, before))) return;
  const fields = { role: caller.role, method: 'PutChannel for a channel on Slack', needed: 'owner' };
  throw new CurfewError('METHOD_NOT_ALLOWED', fields);
}

async function onlyDisables(db: LedgerReader, wish: ChannelWish, before: ChannelRecord): Promise<boolean> {
  if (!wish.disabled || wish.secret !== '' || wish.target !== before.target) return false;
  if (JSON.stringify(wish.eventTypes) !== JSON.stringify(before.eventTypes)) return false;
  const wished = [];
  for (const { slackId, user } of wish.slackUsers) wished.push(`${slackId}=${(await findUser(db, user)).id}`);
  const linked = before.slackUsers.map(({ slack_id, user_id }) => `${slack_id}=${user_id}`);
  return wished.sort().join() === linked.sort().join();
}

/** Two writers in one file would cut each other's lines. Errors: CHANNEL_INVALID. */
async function assertFileIsFree(db: LedgerReader, wish: ChannelWish, ownId: string | undefined): Promise<void> {
  if (wish.kind !== 'file') return;
  const others = db.selectFrom('channel').select('id').where('kind', '=', 'file').where('target', '=', wish.target);
  const other = await others.where('id', '<>', ownId ?? '').executeTakeFirst();
  if (other !== undefined) throw invalid('channel.target', 'is the file of another channel');
}

async function withCounts(db: LedgerReader, channel: ChannelRecord): Promise<ChannelStatus> {
  const count = async (condition: ReturnType<typeof sql<boolean>>): Promise<number> => {
    const { count: found } = await db
      .selectFrom('delivery')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('channel_id', '=', channel.id)
      .where(condition)
      .executeTakeFirstOrThrow();
    return found;
  };
  const waiting = await count(sql<boolean>`state = 'waiting' and event_idx < ${channel.cursor}`);
  const dead = await count(sql<boolean>`state = 'dead'`);
  return { ...channel, waiting: waiting + (await eventsToCome(db, channel)), dead };
}

/** How many events from the cursor on the channel takes. */
async function eventsToCome(db: LedgerReader, { cursor, eventTypes }: ChannelRecord): Promise<number> {
  let events = db
    .selectFrom('audit_event')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('idx', '>=', cursor);
  if (eventTypes.length > 0)
    events = events.where((eb) =>
      eb.or(eventTypes.map((beginning) => eb.and([eb('type', '>=', beginning), eb('type', '<', `${beginning}{`)]))),
    );
  return (await events.executeTakeFirstOrThrow()).count;
}
