import { CurfewError, requestCan, type RequestState } from '@curfew/shared';
import { sql } from 'kysely';
import { deviceActor } from '../devices/device-actor.js';
import { findDevice, type DeviceRow } from '../devices/find-device.js';
import { findId } from '../ledger/find-by-id.js';
import type { LedgerReader } from '../ledger/ledger.js';
import { readMeta } from '../ledger/ledger-meta.js';
import { afterCursor, cutPage, likePattern, pageSize, parseOrderBy, readPageToken } from '../ledger/paging.js';
import type { Decider } from '../policies/approval-steps.js';
import type { AccountIdentity } from '../sessions/session-record.js';
import { findResource } from '../resources/find-resource.js';
import { assertGranting } from '../sessions/grant-rules.js';
import type { UseCaseContext } from '../use-case-context.js';
import type { Caller } from '../users/caller.js';
import { presentCaller } from '../users/present-caller.js';
import { findUser } from '../users/users.js';
import { findUserOfAccount, userOfAccount } from '../users/user-of-account.js';
import { createRequest, type RequestInput } from './create-request.js';
import { approveRequest, deciderOf, denyRequest, type DecisionInput } from './decide-request.js';
import { decidableBy, REVIEW_WAITS } from './decidable-by.js';
import {
  moveRequest,
  requestById,
  requestFromRow,
  requestRecords,
  selectRequests,
  type RequestRecord,
} from './request-record.js';
import { reviewRequest } from './review-request.js';

/** Stands for the name of the resource, else of the device. */
const NAME = 'name';
const ORDER = {
  create_time: 'r.created_at_ms',
  user_name: 'u.name',
  device_name: NAME,
  resource_name: NAME,
  state: 'r.state',
} as const;

/** How many requests a device shows its people. */
const DEVICE_VIEW_LIMIT = 100;

export interface RequestListInput {
  readonly states: readonly RequestState[];
  readonly user: string;
  readonly device: string;
  readonly resource: string;
  readonly text: string;
  /** Only what this caller may decide now; undefined for all. */
  readonly canDecide: Caller | undefined;
  /** Only those whose break-glass session waits for its review, in any state when no states are given. */
  readonly reviewWaiting: boolean;
  readonly orderBy: string;
  readonly pageSize: number;
  readonly pageToken: string;
}

/** Access requests: asked, decided, withdrawn, timed out. */
export class Requests {
  constructor(private readonly context: UseCaseContext) {}

  /** Asks in the name of the person whose account the device's kernel named. Errors: those of `createRequest`, ACCOUNT_INELIGIBLE, USER_DISABLED. */
  create(
    device: DeviceRow,
    input: Omit<RequestInput, 'ticket' | 'breakGlass'> &
      Partial<Pick<RequestInput, 'ticket' | 'breakGlass'>> & { readonly account: AccountIdentity },
  ): Promise<RequestRecord> {
    return this.context.ledger.write(async (tx) => {
      const { account, ...asked } = input;
      const user = await userOfAccount(tx, this.context, device, account);
      const asker = { user, target: { device, account }, actor: deviceActor(device), freshAtMs: undefined };
      return createRequest(tx, this.context, asker, { ticket: '', breakGlass: false, ...asked });
    });
  }

  /** Withdraws a request of an account, or of its user for a resource. Errors: REQUEST_NOT_FOUND, REQUEST_NOT_OPEN. */
  cancel(device: DeviceRow, account: AccountIdentity, given: string): Promise<RequestRecord> {
    return this.context.ledger.write(async (tx) => {
      const request = await this.find(tx.db, given);
      const isOwn =
        request.resource_id === ''
          ? request.device_id === device.id && request.account.uid === account.uid
          : (await findUserOfAccount(tx.db, this.context.settings, device, account))?.user.id === request.user_id;
      if (!isOwn) throw new CurfewError('REQUEST_NOT_FOUND', { given });
      if (!requestCan.cancel(request.state))
        throw new CurfewError('REQUEST_NOT_OPEN', { id: request.id, state: request.state });
      return moveRequest(tx, request, 'cancelled', this.context.clock.now(), deviceActor(device));
    });
  }

  /** Approves the step that waits, for as long as asked or shorter. Errors: REQUEST_NOT_FOUND, those of `presentCaller` and of `approveRequest`. */
  approve(caller: Caller, given: string, input: DecisionInput): Promise<RequestRecord> {
    return this.context.ledger.write(async (tx) => {
      await assertGranting(tx.db);
      const decider = await presentCaller(tx.db, caller);
      return approveRequest(tx, this.context, decider, await this.find(tx.db, given), input);
    });
  }

  /** Errors: REQUEST_NOT_FOUND, those of `presentCaller` and of `denyRequest`. */
  deny(caller: Caller, given: string, reason: string): Promise<RequestRecord> {
    return this.context.ledger.write(async (tx) => {
      const decider = await presentCaller(tx.db, caller);
      return denyRequest(tx, this.context, decider, await this.find(tx.db, given), reason);
    });
  }

  /** Errors: REQUEST_NOT_FOUND, REVIEW_NOT_WAITING, SELF_APPROVAL. */
  review(
    caller: Caller,
    given: string,
    input: { readonly accepted: boolean; readonly reason: string },
  ): Promise<RequestRecord> {
    return this.context.ledger.write(async (tx) =>
      reviewRequest(tx, caller, await this.find(tx.db, given), input, this.context.clock.now()),
    );
  }

  /** A caller as one who decides, with the groups of this moment. */
  decider(caller: Caller): Promise<Decider> {
    return this.context.ledger.read((db) => deciderOf(db, caller));
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
    return this.context.ledger.read((db) => this.find(db, given));
  }

  /** What people on a device want to know of admin rights: the newest requests, newest first. */
  ofDevice(deviceId: string): Promise<RequestRecord[]> {
    return this.context.ledger.read(async (db) => {
      const rows = await selectRequests(db)
        .where('r.device_id', '=', deviceId)
        .where('r.resource_id', 'is', null)
        .orderBy('r.created_at_ms', 'desc')
        .limit(DEVICE_VIEW_LIMIT)
        .execute();
      return requestRecords(db, rows);
    });
  }

  /** A page of requests and how many fit. Errors: PAGE_TOKEN_INVALID, ORDER_BY_INVALID, USER_NOT_FOUND, DEVICE_NOT_FOUND, RESOURCE_NOT_FOUND. */
  list(input: RequestListInput): Promise<{ requests: RequestRecord[]; nextPageToken: string; total: number }> {
    const order = parseOrderBy(input.orderBy, ORDER, 'create_time desc');
    const column =
      order.column === NAME ? sql<string>`coalesce(e.name, d.name)` : sql<string | number>`${sql.ref(order.column)}`;
    const size = pageSize(input.pageSize);
    return this.context.ledger.read(async (db) => {
      const { cursorKey } = await readMeta(db);
      const scope = `requests ${JSON.stringify({ ...input, canDecide: input.canDecide?.userId, pageToken: '', pageSize: 0 })}`;
      const cursor = readPageToken(cursorKey, scope, input.pageToken);
      let matching = selectRequests(db);
      if (input.reviewWaiting) matching = matching.where(REVIEW_WAITS);
      if (!input.reviewWaiting || input.states.length > 0)
        matching = matching.where('r.state', 'in', input.states.length > 0 ? input.states : ['pending']);
      if (input.canDecide !== undefined)
        matching = matching.where(await decidableBy(db, await deciderOf(db, input.canDecide)));
      if (input.user !== '') matching = matching.where('r.user_id', '=', (await findUser(db, input.user)).id);
      if (input.device !== '') matching = matching.where('r.device_id', '=', (await findDevice(db, input.device)).id);
      if (input.resource !== '')
        matching = matching.where('r.resource_id', '=', (await findResource(db, input.resource)).id);
      if (input.text !== '') {
        const pattern = likePattern(input.text);
        matching = matching.where(
          sql<boolean>`lower(u.name || ' ' || coalesce(e.name, '') || ' ' || coalesce(d.name, '') || ' ' || r.account || ' ' || r.reason) like ${pattern} escape '\\'`,
        );
      }
      let page = matching
        .select(column.as('sort_key'))
        .orderBy(column, order.descending ? 'desc' : 'asc')
        .orderBy('r.id')
        .limit(size + 1);
      if (cursor !== undefined) page = page.where(afterCursor(column, 'r.id', order, cursor));
      const rows = await page.execute();
      const { total } = await matching
        .clearSelect()
        .select(({ fn }) => fn.countAll<number>().as('total'))
        .executeTakeFirstOrThrow();
      const { shown, nextPageToken } = cutPage(rows, size, cursorKey, scope);
      const requests = await requestRecords(
        db,
        shown.map(({ sort_key: _, ...row }) => row),
      );
      return { requests, nextPageToken, total };
    });
  }

  private async find(db: LedgerReader, given: string): Promise<RequestRecord> {
    return requestById(db, await findId(db, 'access_request', 'request', given, 'REQUEST_NOT_FOUND'));
  }
}
