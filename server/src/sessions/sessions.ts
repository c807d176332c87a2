import {
  CurfewError,
  instantMs,
  newId,
  requestCan,
  sessionCan,
  type GrantOptions,
  type InstantMs,
  type SessionState,
} from '@curfew/shared';
import { sql } from 'kysely';
import type { Actor } from '../audit/audit-entry.js';
import { deviceActor } from '../devices/devices.js';
import { findDevice, type DeviceRow } from '../devices/find-device.js';
import { findId } from '../ledger/find-by-id.js';
import type { LedgerTransaction } from '../ledger/ledger.js';
import { readMeta } from '../ledger/ledger-meta.js';
import { afterCursor, cutPage, likePattern, pageSize, parseOrderBy, readPageToken } from '../ledger/paging.js';
import { moveRequest, requestById } from '../requests/request-record.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from '../users/caller.js';
import { findUser, type UserRecord } from '../users/users.js';
import { endSessions, giveEpoch, type LiveSelection } from './end-sessions.js';
import { assertGranting, assertWithinLimit } from './grant-rules.js';
import {
  selectSessions,
  sessionFromRow,
  sessionsById,
  type AccountIdentity,
  type SessionRecord,
} from './session-record.js';

const ORDER = {
  create_time: 's.created_at_ms',
  expire_time: 's.expires_at_ms',
  user_name: 'u.name',
  device_name: 'd.name',
  state: 's.state',
} as const;

export interface SessionFilter {
  readonly kind: string;
  readonly states: readonly SessionState[];
  readonly user: string;
  readonly device: string;
  readonly text: string;
  readonly endingWithinMs: number | undefined;
  readonly createdAfterMs: number | undefined;
}

/** Which sessions an operator ends. Ids may be unique prefixes, user and device names. */
export type RevokeSelection =
  { readonly ids: readonly string[] } | { readonly user: string } | { readonly device: string } | 'everything';

/** The ledger of elevated periods. */
export class Sessions {
  constructor(private readonly context: UseCaseContext) {}

  /** Starts an approved request. Errors: REQUEST_NOT_FOUND, REQUEST_NOT_APPROVED, DEVICE_IDENTITY_CONFLICT, LEDGER_ROLLED_BACK. */
  start(device: DeviceRow, account: AccountIdentity, given: string): Promise<SessionRecord> {
    return this.context.ledger.write(async (tx) => {
      await assertGranting(tx.db);
      const id =
        given === ''
          ? await onlyApproved(tx, device, account)
          : await findId(tx.db, 'access_request', 'request', given, 'REQUEST_NOT_FOUND');
      const request = await requestById(tx.db, id);
      if (request.device_id !== device.id || request.account.uid !== account.uid)
        throw new CurfewError('REQUEST_NOT_FOUND', { given });
      // A uid may have passed to somebody else since the approval.
      if (request.account.fingerprint !== account.fingerprint || request.account.name !== account.name)
        throw new CurfewError('ACCOUNT_INELIGIBLE', { account: account.name, why: 'it is not the account that asked' });
      assertEnabled(await findUser(tx.db, request.user_id));
      const now = this.context.clock.now();
      const lapsed = request.start_by_ms !== null && request.start_by_ms <= now;
      if (!requestCan.start(request.state) || lapsed)
        throw new CurfewError('REQUEST_NOT_APPROVED', { id: request.id, state: lapsed ? 'lapsed' : request.state });
      const sessionId = await this.insert(tx, device, {
        userId: request.user_id,
        account,
        options: request.options,
        durationMs: request.duration_ms,
        reason: request.reason,
        grantedBy: request.decided_by,
        requestId: request.id,
        actor: deviceActor(device),
      });
      await moveRequest(tx, request, 'started', now, deviceActor(device), { session_id: sessionId });
      return one(await sessionsById(tx.db, [sessionId]));
    });
  }

  /** Gives a session without a request. */
  grant(
    caller: Caller,
    input: {
      readonly user: string;
      readonly device: string;
      readonly account: string;
      readonly durationMs: number;
      readonly reason: string;
      readonly options: GrantOptions;
    },
  ): Promise<SessionRecord> {
    const { ledger, settings } = this.context;
    return ledger.write(async (tx) => {
      await assertGranting(tx.db);
      assertWithinLimit('duration', input.durationMs, settings.maxSessionMs);
      const [user, device] = [await findUser(tx.db, input.user), await findDevice(tx.db, input.device)];
      if (device.state === 'removed') throw new CurfewError('DEVICE_NOT_FOUND', { given: input.device });
      if (user.id === caller.userId) throw new CurfewError('SELF_APPROVAL');
      assertEnabled(user);
      const linked = user.accounts.find((link) => link.device_id === device.id)?.account_name;
      const name = input.account === '' ? (linked ?? user.name) : input.account;
      const account = await tx.db
        .selectFrom('device_account')
        .selectAll()
        .where('device_id', '=', device.id)
        .where('name', '=', name)
        .executeTakeFirst();
      if (account === undefined) throw new CurfewError('ACCOUNT_NOT_FOUND', { given: name });
      if (account.ineligible_reason !== '')
        throw new CurfewError('ACCOUNT_INELIGIBLE', { account: name, why: account.ineligible_reason });
      await assertAccountOf(tx, user, device, account, caller);
      const id = await this.insert(tx, device, {
        userId: user.id,
        account: { name: account.name, uid: account.uid, fingerprint: account.fingerprint },
        options: input.options,
        durationMs: input.durationMs,
        reason: input.reason,
        grantedBy: caller.userName,
        requestId: null,
        actor: callerActor(caller),
      });
      return one(await sessionsById(tx.db, [id]));
    });
  }

  /** Lengthens a live session. Errors: SESSION_NOT_FOUND, SESSION_NOT_LIVE, DURATION_TOO_LONG, SELF_APPROVAL, LEDGER_ROLLED_BACK. */
  extend(caller: Caller, given: string, byMs: number): Promise<SessionRecord> {
    return this.context.ledger.write(async (tx) => {
      await assertGranting(tx.db);
      const id = await findId(tx.db, 'session', 'session', given, 'SESSION_NOT_FOUND');
      const session = one(await sessionsById(tx.db, [id]));
      if (!sessionCan.extend(session.state)) throw new CurfewError('SESSION_NOT_LIVE', { id, state: session.state });
      if (session.user_id === caller.userId) throw new CurfewError('SELF_APPROVAL');
      assertWithinLimit('by', session.duration_ms + byMs, this.context.settings.maxSessionMs);
      await tx.db
        .updateTable('device')
        .set({ generation: sql`generation + 1` })
        .where('id', '=', session.device_id)
        .execute();
      await giveEpoch(tx.db, id, session.device_id);
      tx.audit({ type: 'session.extended', actor: callerActor(caller), subject: id, data: { byMs } });
      const revision = tx.changed('session', id, session.device_id);
      await tx.db
        .updateTable('session')
        .set({ duration_ms: session.duration_ms + byMs, expires_at_ms: session.expires_at_ms + byMs, revision })
        .where('id', '=', id)
        .execute();
      return one(await sessionsById(tx.db, [id]));
    });
  }

  /** Decides the end of sessions, all in one transaction. Those that are ending or ended already are returned as they stand. Errors: SESSION_NOT_FOUND, USER_NOT_FOUND, DEVICE_NOT_FOUND. */
  revoke(caller: Caller, selection: RevokeSelection, reason: string): Promise<SessionRecord[]> {
    return this.context.ledger.write(async (tx) => {
      let which: LiveSelection = 'everything';
      let asked: string[] | undefined;
      if (selection !== 'everything') {
        if ('user' in selection) which = { userId: (await findUser(tx.db, selection.user)).id };
        else if ('device' in selection) which = { deviceId: (await findDevice(tx.db, selection.device)).id };
        else {
          asked = [];
          for (const given of new Set(selection.ids))
            asked.push(await findId(tx.db, 'session', 'session', given, 'SESSION_NOT_FOUND'));
          which = { ids: asked };
        }
      }
      const decision = { reason: 'revoked', by: caller.userName, actor: callerActor(caller), detail: reason } as const;
      const moved = await endSessions(tx, this.context.clock.now(), which, decision);
      return sessionsById(tx.db, asked ?? moved);
    });
  }

  /** Decides the end of every session whose time is over. Returns when the next one falls due. */
  expireDue(): Promise<InstantMs | undefined> {
    return this.context.ledger.write(async (tx) => {
      const now = this.context.clock.now();
      await endSessions(tx, now, { dueBy: now }, { reason: 'expired', by: '', actor: { kind: 'server' }, detail: '' });
      const next = await tx.db
        .selectFrom('session')
        .select('expires_at_ms')
        .where('state', 'in', ['starting', 'active'])
        .orderBy('expires_at_ms')
        .limit(1)
        .executeTakeFirst();
      return next === undefined ? undefined : instantMs(next.expires_at_ms);
    });
  }

  /** Errors: SESSION_NOT_FOUND, ID_AMBIGUOUS. */
  get(given: string): Promise<SessionRecord> {
    return this.context.ledger.read(async (db) =>
      one(await sessionsById(db, [await findId(db, 'session', 'session', given, 'SESSION_NOT_FOUND')])),
    );
  }

  byIds(ids: readonly string[]): Promise<SessionRecord[]> {
    return this.context.ledger.read((db) => sessionsById(db, ids));
  }

  /** A page of sessions and how many fit. Errors: PAGE_TOKEN_INVALID, ORDER_BY_INVALID, USER_NOT_FOUND, DEVICE_NOT_FOUND. */
  list(input: {
    readonly filter: SessionFilter;
    readonly orderBy: string;
    readonly pageSize: number;
    readonly pageToken: string;
  }): Promise<{
    sessions: SessionRecord[];
    nextPageToken: string;
    total: number;
  }> {
    const { filter } = input;
    const order = parseOrderBy(input.orderBy, ORDER, 'expire_time');
    const column = sql<string | number>`${sql.ref(order.column)}`;
    const size = pageSize(input.pageSize);
    return this.context.ledger.read(async (db) => {
      const { cursorKey } = await readMeta(db);
      const scope = `sessions ${JSON.stringify([filter, input.orderBy])}`;
      const cursor = readPageToken(cursorKey, scope, input.pageToken);
      let matching = selectSessions(db).where(
        's.state',
        'in',
        filter.states.length > 0 ? filter.states : ['starting', 'active', 'ending'],
      );
      if (filter.kind !== '') matching = matching.where('s.kind', '=', filter.kind as 'device_admin');
      if (filter.user !== '') matching = matching.where('s.user_id', '=', (await findUser(db, filter.user)).id);
      if (filter.device !== '') matching = matching.where('s.device_id', '=', (await findDevice(db, filter.device)).id);
      if (filter.endingWithinMs !== undefined)
        matching = matching.where('s.expires_at_ms', '<=', this.context.clock.now() + filter.endingWithinMs);
      if (filter.createdAfterMs !== undefined)
        matching = matching.where('s.created_at_ms', '>=', filter.createdAfterMs);
      if (filter.text !== '') {
        const pattern = likePattern(filter.text);
        matching = matching.where(
          sql<boolean>`lower(u.name || ' ' || d.name || ' ' || s.account || ' ' || s.reason) like ${pattern} escape '\\'`,
        );
      }
      let page = matching
        .select(column.as('sort_key'))
        .orderBy(column, order.descending ? 'desc' : 'asc')
        .orderBy('s.id')
        .limit(size + 1);
      if (cursor !== undefined) page = page.where(afterCursor(order.column, 's.id', order, cursor));
      const rows = await page.execute();
      const { total } = await matching
        .clearSelect()
        .select(({ fn }) => fn.countAll<number>().as('total'))
        .executeTakeFirstOrThrow();
      const { shown, nextPageToken } = cutPage(rows, size, cursorKey, scope);
      return { sessions: shown.map(({ sort_key: _, ...row }) => sessionFromRow(row)), nextPageToken, total };
    });
  }

  private async insert(
    tx: LedgerTransaction,
    device: DeviceRow,
    input: {
      userId: string;
      account: AccountIdentity;
      options: GrantOptions;
      durationMs: number;
      reason: string;
      grantedBy: string;
      requestId: string | null;
      actor: Actor;
    },
  ): Promise<string> {
    if (device.state === 'identity_conflict')
      throw new CurfewError('DEVICE_IDENTITY_CONFLICT', { device: device.name });
    const live = await tx.db
      .selectFrom('session')
      .select('id')
      .where('device_id', '=', device.id)
      .where('uid', '=', input.account.uid)
      .where('state', 'in', ['starting', 'active'])
      .executeTakeFirst();
    if (live !== undefined) throw new CurfewError('SESSION_ALREADY_LIVE', { account: input.account.name, id: live.id });
    const now = this.context.clock.now();
    const id = newId('session', this.context.random);
    await tx.db
      .updateTable('device')
      .set({ generation: sql`generation + 1` })
      .where('id', '=', device.id)
      .execute();
    await tx.db
      .insertInto('session_transition')
      .values({ session_id: id, seq: 1, prior_seq: 0, prior_state: 'none', state: 'starting', at_ms: now })
      .execute();
    await tx.db
      .insertInto('session')
      .values({
        id,
        kind: 'device_admin',
        state: 'starting',
        seq: 1,
        user_id: input.userId,
        device_id: device.id,
        uid: input.account.uid,
        account: JSON.stringify(input.account),
        options: JSON.stringify(input.options),
        request_id: input.requestId,
        reason: input.reason,
        granted_by: input.grantedBy,
        epoch: 0,
        duration_ms: input.durationMs,
        created_at_ms: now,
        active_at_ms: null,
        expires_at_ms: now + input.durationMs,
        ending_at_ms: null,
        ending_generation: null,
        ended_at_ms: null,
        end_reason: null,
        ended_by: '',
        end_detail: '',
        revision: tx.changed('session', id, device.id),
      })
      .execute();
    await giveEpoch(tx.db, id, device.id);
    const data = {
      device: device.name,
      account: input.account.name,
      uid: input.account.uid,
      durationMs: input.durationMs,
      reason: input.reason,
    };
    tx.audit({ type: 'session.starting', actor: input.actor, subject: id, data });
    return id;
  }
}

/** Errors: USER_DISABLED. */
function assertEnabled(user: UserRecord): void {
  if (user.disabled === 1) throw new CurfewError('USER_DISABLED', { user: user.name });
}

/**
 * An account may be elevated in the name of its own user only: else somebody could give themselves a right under
 * another person's name. Errors: SELF_APPROVAL, ACCOUNT_INELIGIBLE.
 */
async function assertAccountOf(
  tx: LedgerTransaction,
  user: UserRecord,
  device: DeviceRow,
  account: { readonly uid: number; readonly name: string },
  caller: Caller,
): Promise<void> {
  const link = await tx.db
    .selectFrom('account_link')
    .select('user_id')
    .where('device_id', '=', device.id)
    .where('uid', '=', account.uid)
    .where('account_name', '=', account.name)
    .executeTakeFirst();
  const owner = link?.user_id;
  const named = owner === undefined && account.name.toLowerCase() === caller.userName.toLowerCase();
  if (owner === caller.userId || named) throw new CurfewError('SELF_APPROVAL');
  if (owner !== undefined && owner !== user.id)
    throw new CurfewError('ACCOUNT_INELIGIBLE', { account: account.name, why: 'it belongs to another user' });
}

/** The only approved request of an account on a device. Errors: REQUEST_NOT_FOUND, ID_AMBIGUOUS. */
async function onlyApproved(tx: LedgerTransaction, device: DeviceRow, account: AccountIdentity): Promise<string> {
  const rows = await tx.db
    .selectFrom('access_request')
    .select(['id', 'account'])
    .where('device_id', '=', device.id)
    .where('state', '=', 'approved')
    .execute();
  const own = rows.filter((row) => (JSON.parse(row.account) as AccountIdentity).uid === account.uid);
  if (own.length > 1)
    throw new CurfewError('ID_AMBIGUOUS', { given: '', count: own.length, what: 'approved requests' });
  if (own[0] === undefined) throw new CurfewError('REQUEST_NOT_FOUND', { given: 'approved' });
  return own[0].id;
}

function one(records: readonly SessionRecord[]): SessionRecord {
  const [record] = records;
  if (record === undefined) throw new Error('a session that was just read is gone');
  return record;
}
