import { CurfewError, newId, requestCan, type GrantOptions, type RequestState } from '@curfew/shared';
import { deviceActor } from '../devices/devices.js';
import { findDevice, type DeviceRow } from '../devices/find-device.js';
import { findId } from '../ledger/find-by-id.js';
import type { LedgerTransaction } from '../ledger/ledger.js';
import { readMeta } from '../ledger/ledger-meta.js';
import { afterCursor, cutPage, likePattern, pageSize, parseOrderBy, readPageToken } from '../ledger/paging.js';
import { assertGranting, assertWithinLimit } from '../sessions/grant-rules.js';
import type { AccountIdentity } from '../sessions/session-record.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from '../users/caller.js';
import { findUser, insertLink, insertUser, type UserRecord } from '../users/users.js';
import { sql } from 'kysely';
import { moveRequest, requestById, requestFromRow, selectRequests, type RequestRecord } from './request-record.js';

const ORDER = { create_time: 'r.created_at_ms', user_name: 'u.name', device_name: 'd.name', state: 'r.state' } as const;

/** How many requests a device shows its people. */
const DEVICE_VIEW_LIMIT = 100;

export interface RequestListInput {
  readonly states: readonly RequestState[];
  readonly user: string;
  readonly device: string;
  readonly text: string;
  readonly orderBy: string;
  readonly pageSize: number;
  readonly pageToken: string;
}

/** Access requests: asked, decided, withdrawn, timed out. */
export class Requests {
  constructor(private readonly context: UseCaseContext) {}

  /** Asks in the name of the person whose account the device's kernel named. */
  create(
    device: DeviceRow,
    input: {
      readonly account: AccountIdentity;
      readonly durationMs: number;
      readonly reason: string;
      readonly options: GrantOptions;
    },
  ): Promise<RequestRecord> {
    const { ledger, clock, random, settings } = this.context;
    return ledger.write(async (tx) => {
      await assertGranting(tx.db);
      assertWithinLimit('duration', input.durationMs, settings.maxSessionMs);
      const user = await this.userOfAccount(tx, device, input.account);
      const open = await tx.db
        .selectFrom('access_request')
        .select(['id', 'state'])
        .where('device_id', '=', device.id)
        .where('user_id', '=', user.id)
        .where('state', 'in', ['pending', 'approved'])
        .executeTakeFirst();
      if (open !== undefined) throw new CurfewError('REQUEST_ALREADY_OPEN', { id: open.id, state: open.state });
      const now = clock.now();
      const id = newId('request', random);
      await tx.db
        .insertInto('access_request_transition')
        .values({ request_id: id, seq: 1, prior_seq: 0, prior_state: 'none', state: 'pending', at_ms: now })
        .execute();
      await tx.db
        .insertInto('access_request')
        .values({
          id,
          user_id: user.id,
          device_id: device.id,
          account: JSON.stringify(input.account),
          options: JSON.stringify(input.options),
          duration_ms: input.durationMs,
          reason: input.reason,
          state: 'pending',
          seq: 1,
          created_at_ms: now,
          decide_by_ms: now + settings.decideWithinMs,
          decided_at_ms: null,
          decided_by: '',
          decision_reason: '',
          start_by_ms: null,
          session_id: null,
        })
        .execute();
      const data = {
        user: user.name,
        account: input.account.name,
        uid: input.account.uid,
        durationMs: input.durationMs,
        reason: input.reason,
      };
      tx.audit({ type: 'request.created', actor: deviceActor(device), subject: id, data });
      tx.changed('request', id, device.id);
      return requestById(tx.db, id);
    });
  }

  /** Withdraws a request of an account. Errors: REQUEST_NOT_FOUND, REQUEST_NOT_OPEN. */
  cancel(device: DeviceRow, account: AccountIdentity, given: string): Promise<RequestRecord> {
    return this.context.ledger.write(async (tx) => {
      const request = await requestById(
        tx.db,
        await findId(tx.db, 'access_request', 'request', given, 'REQUEST_NOT_FOUND'),
      );
      if (request.device_id !== device.id || request.account.uid !== account.uid)
        throw new CurfewError('REQUEST_NOT_FOUND', { given });
      if (!requestCan.cancel(request.state))
        throw new CurfewError('REQUEST_NOT_OPEN', { id: request.id, state: request.state });
      return moveRequest(tx, request, 'cancelled', this.context.clock.now(), deviceActor(device));
    });
  }

  /** Approves, for as long as asked or shorter. Errors: REQUEST_NOT_FOUND, REQUEST_NOT_PENDING, SELF_APPROVAL, DURATION_TOO_LONG, LEDGER_ROLLED_BACK. */
  approve(
    caller: Caller,
    given: string,
    input: { readonly reason: string; readonly durationMs?: number },
  ): Promise<RequestRecord> {
    const { ledger, clock, settings } = this.context;
    return ledger.write(async (tx) => {
      await assertGranting(tx.db);
      const request = await this.pending(tx, given);
      if (request.user_id === caller.userId) throw new CurfewError('SELF_APPROVAL');
      const durationMs = input.durationMs ?? request.duration_ms;
      assertWithinLimit('duration', durationMs, Math.min(request.duration_ms, settings.maxSessionMs));
      const now = clock.now();
      return moveRequest(tx, request, 'approved', now, callerActor(caller), {
        decided_at_ms: now,
        decided_by: caller.userName,
        decision_reason: input.reason,
        start_by_ms: now + settings.startWithinMs,
        duration_ms: durationMs,
      });
    });
  }

  /** Errors: REQUEST_NOT_FOUND, REQUEST_NOT_PENDING. */
  deny(caller: Caller, given: string, reason: string): Promise<RequestRecord> {
    return this.context.ledger.write(async (tx) => {
      const request = await this.pending(tx, given);
      const now = this.context.clock.now();
      const decision = { decided_at_ms: now, decided_by: caller.userName, decision_reason: reason };
      return moveRequest(tx, request, 'denied', now, callerActor(caller), decision);
    });
  }

  /** Times out what nobody decided and lapses what nobody started. Returns how many moved. */
  sweep(): Promise<number> {
    return this.context.ledger.write(async (tx) => {
      const now = this.context.clock.now();
      const late = await selectRequests(tx.db)
        .where(
          sql<boolean>`((r.state = 'pending' and r.decide_by_ms <= ${now}) or (r.state = 'approved' and r.start_by_ms <= ${now}))`,
        )
        .execute();
      for (const row of late)
        await moveRequest(tx, requestFromRow(row), row.state === 'pending' ? 'timed_out' : 'lapsed', now, {
          kind: 'server',
        });
      return late.length;
    });
  }

  /** Errors: REQUEST_NOT_FOUND, ID_AMBIGUOUS. */
  get(given: string): Promise<RequestRecord> {
    return this.context.ledger.read(async (db) =>
      requestById(db, await findId(db, 'access_request', 'request', given, 'REQUEST_NOT_FOUND')),
    );
  }

  /** What people on a device want to know: the newest requests, newest first. */
  ofDevice(deviceId: string): Promise<RequestRecord[]> {
    return this.context.ledger.read(async (db) => {
      const rows = await selectRequests(db)
        .where('r.device_id', '=', deviceId)
        .orderBy('r.created_at_ms', 'desc')
        .limit(DEVICE_VIEW_LIMIT)
        .execute();
      return rows.map(requestFromRow);
    });
  }

  /** A page of requests and how many fit. Errors: PAGE_TOKEN_INVALID, ORDER_BY_INVALID, USER_NOT_FOUND, DEVICE_NOT_FOUND. */
  list(input: RequestListInput): Promise<{ requests: RequestRecord[]; nextPageToken: string; total: number }> {
    const order = parseOrderBy(input.orderBy, ORDER, 'create_time desc');
    const column = sql<string | number>`${sql.ref(order.column)}`;
    const size = pageSize(input.pageSize);
    return this.context.ledger.read(async (db) => {
      const { cursorKey } = await readMeta(db);
      const scope = `requests ${JSON.stringify({ ...input, pageToken: '', pageSize: 0 })}`;
      const cursor = readPageToken(cursorKey, scope, input.pageToken);
      let matching = selectRequests(db).where('r.state', 'in', input.states.length > 0 ? input.states : ['pending']);
      if (input.user !== '') matching = matching.where('r.user_id', '=', (await findUser(db, input.user)).id);
      if (input.device !== '') matching = matching.where('r.device_id', '=', (await findDevice(db, input.device)).id);
      if (input.text !== '') {
        const pattern = likePattern(input.text);
        matching = matching.where(
          sql<boolean>`lower(u.name || ' ' || d.name || ' ' || r.account || ' ' || r.reason) like ${pattern} escape '\\'`,
        );
      }
      let page = matching
        .select(column.as('sort_key'))
        .orderBy(column, order.descending ? 'desc' : 'asc')
        .orderBy('r.id')
        .limit(size + 1);
      if (cursor !== undefined) page = page.where(afterCursor(order.column, 'r.id', order, cursor));
      const rows = await page.execute();
      const { total } = await matching
        .clearSelect()
        .select(({ fn }) => fn.countAll<number>().as('total'))
        .executeTakeFirstOrThrow();
      const { shown, nextPageToken } = cutPage(rows, size, cursorKey, scope);
      return { requests: shown.map(({ sort_key: _, ...row }) => requestFromRow(row)), nextPageToken, total };
    });
  }

  private async pending(tx: LedgerTransaction, given: string): Promise<RequestRecord> {
    const request = await requestById(
      tx.db,
      await findId(tx.db, 'access_request', 'request', given, 'REQUEST_NOT_FOUND'),
    );
    if (!requestCan.decide(request.state))
      throw new CurfewError('REQUEST_NOT_PENDING', { id: request.id, state: request.state });
    return request;
  }

  /** The user that an account belongs to; at the first request linked by name where the configuration allows it. */
  private async userOfAccount(tx: LedgerTransaction, device: DeviceRow, account: AccountIdentity): Promise<UserRecord> {
    const link = await tx.db
      .selectFrom('account_link')
      .select(['user_id', 'account_name'])
      .where('device_id', '=', device.id)
      .where('uid', '=', account.uid)
      .executeTakeFirst();
    if (link?.account_name === account.name) return this.enabled(await findUser(tx.db, link.user_id));
    if (this.context.settings.linkAccounts === 'manual')
      throw new CurfewError('ACCOUNT_INELIGIBLE', {
        account: account.name,
        why: 'no user is linked to it; ask an operator to link it',
      });
    const named = await tx.db
      .selectFrom('app_user')
      .select('id')
      .where('name_key', '=', account.name.toLowerCase())
      .executeTakeFirst();
    const user =
      named === undefined
        ? await insertUser(tx, this.context, deviceActor(device), { name: account.name, displayName: '', role: 'user' })
        : this.enabled(await findUser(tx.db, named.id));
    const row = {
      device_id: device.id,
      uid: account.uid,
      account_name: account.name,
      user_id: user.id,
      linked_by: 'by name',
    };
    await insertLink(tx, row, deviceActor(device));
    return user;
  }

  private enabled(user: UserRecord): UserRecord {
    if (user.disabled === 1) throw new CurfewError('USER_DISABLED', { user: user.name });
    return user;
  }
}
