import { CurfewError, isId, type GrantOptions, type InstantMs } from '@curfew/shared';
import { deviceActor } from '../devices/device-actor.js';
import { findDevice, type DeviceRow } from '../devices/find-device.js';
import { findId, findIds } from '../ledger/find-by-id.js';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import { nextTurn } from '../next-turn.js';
import { placeOf } from '../resources/device-group.js';
import { findOpenResource, findResource } from '../resources/find-resource.js';
import { requestById, type RequestRecord } from '../requests/request-record.js';
import { takeBackApproved } from '../requests/take-back.js';
import type { Settings } from '../settings.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from '../users/caller.js';
import { presentCaller } from '../users/present-caller.js';
import { findUserOfAccount } from '../users/user-of-account.js';
import { findUser, type UserRecord } from '../users/users.js';
import { endSessions, nextEnd } from './end-sessions.js';
import { extendSession } from './extend-session.js';
import { assertEnabled, assertGranting, assertWithinLimit } from './grant-rules.js';
import { insertResourceSession } from './insert-resource-session.js';
import { insertSession, NO_TERMS } from './insert-session.js';
import { noteProcesses, type ProcessOutcome } from './note-processes.js';
import { overdueOffline, type LostSince } from './offline-end.js';
import { listSessions, type SessionListInput, type SessionPage } from './list-sessions.js';
import { onlyApproved } from './only-approved.js';
import {
  endedAmong,
  openAmong,
  sessionsById,
  type AccountIdentity,
  type OpenSession,
  type SessionRecord,
} from './session-record.js';
import { startRequest } from './start-session.js';

/** Which sessions an operator ends. Ids may be unique prefixes, names of users, devices and resources. */
export type RevokeSelection =
  | { readonly ids: readonly string[] }
  | { readonly user: string }
  | { readonly device: string }
  | { readonly resource: string }
  | 'everything';

/** What a revoke has decided. */
export interface Revoked {
  readonly ids: readonly string[];
  /** As the decision left them; undefined where they are very many: others would wait while they are read. */
  readonly sessions: SessionRecord[] | undefined;
}

/** Up to how many sessions are read inside the transaction that ends them. */
const READ_INSIDE = 1_000;
/** How many sessions are read before others get their turn. Each time may wait for a commit. */
const READ_AT_ONCE = 5_000;

/** The ledger of elevated periods. */
export class Sessions {
  constructor(private readonly context: UseCaseContext) {}

  /**
   * Starts an approved request; without an id the only one. Errors: REQUEST_NOT_FOUND, ACCOUNT_INELIGIBLE, LEDGER_ROLLED_BACK,
   * those of `onlyApproved` and of `startRequest`.
   */
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
      await assertStillOf(tx.db, this.context.settings, request, device, account);
      const starter = { actor: deviceActor(device), freshAtMs: undefined };
      return one(await sessionsById(tx.db, [await startRequest(tx, this.context, { device }, request, starter)]));
    });
  }

  /** Gives a session without a request. Errors, beside those of what is given: those of `presentCaller`. */
  grant(
    caller: Caller,
    input: {
      readonly user: string;
      readonly device: string;
      /** Exactly one of device and resource is given; '' stands for none. */
      readonly resource?: string;
      readonly account: string;
      readonly durationMs: number;
      readonly reason: string;
      readonly options: GrantOptions;
    },
  ): Promise<SessionRecord> {
    const { ledger, settings } = this.context;
    const { resource = '' } = input;
    if ((input.device === '') === (resource === ''))
      throw new CurfewError('FIELD_INVALID', { field: 'device', problem: 'give a device or a resource, one of them' });
    return ledger.write(async (tx) => {
      await assertGranting(tx.db);
      await presentCaller(tx.db, caller, '/curfew.admin.v1.SessionService/GrantSession');
      assertWithinLimit('duration', input.durationMs, settings.maxSessionMs);
      const user = await findUser(tx.db, input.user);
      const given = {
        userId: user.id,
        durationMs: input.durationMs,
        reason: input.reason,
        grantedBy: caller.userName,
        requestId: null,
        actor: callerActor(caller),
        terms: { ...NO_TERMS, recording: this.context.settings.grantRecording ?? null },
      };
      if (resource !== '') {
        if (user.id === caller.userId) throw new CurfewError('SELF_APPROVAL');
        assertEnabled(user);
        const found = await findOpenResource(tx.db, resource);
        const place = await placeOf(tx, this.context, found, user, { account: input.account, actor: given.actor });
        if (place.device !== undefined) await assertAccountOf(tx, user, place.device, place.account, caller);
        const id = await insertResourceSession(tx, this.context, found, place, given);
        return one(await sessionsById(tx.db, [id]));
      }
      const device = await findDevice(tx.db, input.device);
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
      const id = await insertSession(tx, this.context, device, {
        ...given,
        account: { name: account.name, uid: account.uid, sid: account.sid, fingerprint: account.fingerprint },
        options: input.options,
      });
      return one(await sessionsById(tx.db, [id]));
    });
  }

  /** Lengthens a live session. Errors: SESSION_NOT_FOUND, those of `presentCaller` and of `extendSession`. */
  extend(caller: Caller, given: string, byMs: number): Promise<SessionRecord> {
    return this.context.ledger.write(async (tx) => {
      await assertGranting(tx.db);
      const extender = await presentCaller(tx.db, caller);
      const id = await findId(tx.db, 'session', 'session', given, 'SESSION_NOT_FOUND');
      await extendSession(tx, this.context, extender, one(await sessionsById(tx.db, [id])), byMs);
      return one(await sessionsById(tx.db, [id]));
    });
  }

  /** Notes what a device says of the processes that a session left running. Errors: those of `noteProcesses`. */
  noteProcesses(device: DeviceRow, id: string, outcome: ProcessOutcome): Promise<void> {
    return this.context.ledger.write((tx) => noteProcesses(tx, device, id, outcome));
  }

  /**
   * Decides the end of sessions, all in one transaction. Those that are ending or ended already stay as they are. Of a user, of
   * a device and of everything approvals that nobody has started are taken back as well. Errors: SESSION_NOT_FOUND,
   * USER_NOT_FOUND, DEVICE_NOT_FOUND, RESOURCE_NOT_FOUND.
   */
  revoke(caller: Caller, selection: RevokeSelection, reason: string): Promise<Revoked> {
    const { ledger, clock } = this.context;
    return ledger.write(async (tx) => {
      const decision = { reason: 'revoked', by: caller.userName, actor: callerActor(caller), detail: reason } as const;
      const which = await selected(tx.db, selection);
      const moved = await endSessions(tx, clock.now(), which, decision);
      // What is for a resource has started by itself.
      if (!('ids' in which) && !('resourceId' in which)) await takeBackApproved(tx, clock.now(), which, decision);
      const ids = 'ids' in which ? which.ids : moved;
      // Many would keep every other writer waiting; for few, a read of its own would wait for the next commit.
      return { ids, sessions: ids.length <= READ_INSIDE ? await sessionsById(tx.db, ids) : undefined };
    }, 'first');
  }

  /** Decides the end of sessions whose time is over, so many at once. Returns when the next one falls due; writes when one is. */
  async expireDue(): Promise<InstantMs | undefined> {
    const { ledger, clock } = this.context;
    const next = await ledger.read(nextEnd);
    const now = clock.now();
    if (next === undefined || next > now) return next;
    const decision = { reason: 'expired', by: '', actor: { kind: 'server' }, detail: '' } as const;
    await ledger.write((tx) => endSessions(tx, now, { dueBy: now }, decision), 'first');
    return ledger.read(nextEnd);
  }

  /** Decides the end of sessions whose devices have been out of reach for longer than their policies allow. Returns which. */
  async expireOffline(lostSince: LostSince): Promise<string[]> {
    const { ledger, clock } = this.context;
    const now = clock.now();
    if ((await ledger.read((db) => overdueOffline(db, now, lostSince))).length === 0) return [];
    const detail = 'the device was out of reach for longer than the policy allows';
    const decision = { reason: 'expired', by: '', actor: { kind: 'server' }, detail } as const;
    return ledger.write(
      async (tx) => endSessions(tx, now, { ids: await overdueOffline(tx.db, now, lostSince) }, decision),
      'first',
    );
  }

  /** Errors: SESSION_NOT_FOUND, ID_AMBIGUOUS. */
  get(given: string): Promise<SessionRecord> {
    return this.context.ledger.read(async (db) =>
      one(await sessionsById(db, [await findId(db, 'session', 'session', given, 'SESSION_NOT_FOUND')])),
    );
  }

  /** Those of the sessions that are over. */
  endedAmong(ids: readonly string[]): Promise<string[]> {
    return this.context.ledger.read((db) => endedAmong(db, ids));
  }

  /** Those of the sessions that are not over. */
  openAmong(ids: readonly string[]): Promise<OpenSession[]> {
    return this.context.ledger.read((db) => openAmong(db, ids));
  }

  byIds(ids: readonly string[]): Promise<SessionRecord[]> {
    return this.context.ledger.read((db) => sessionsById(db, ids));
  }

  /** The same for very many, not as of one moment: others get their turns in between. */
  async byIdsInParts(ids: readonly string[]): Promise<SessionRecord[]> {
    const sessions: SessionRecord[] = [];
    for (let at = 0; at < ids.length; at += READ_AT_ONCE) {
      if (at > 0) await nextTurn();
      sessions.push(...(await this.byIds(ids.slice(at, at + READ_AT_ONCE))));
    }
    return sessions;
  }

  /** The sessions among the ids, and those that have not ended on devices among the ids. */
  touchedBy(ids: readonly string[]): Promise<SessionRecord[]> {
    return this.context.ledger.read(async (db) => {
      const devices = ids.filter((id) => isId('device', id));
      const rows =
        devices.length === 0
          ? []
          : await db
              .selectFrom('session')
              .select('id')
              .where('device_id', 'in', devices)
              .where('state', 'in', ['starting', 'active', 'ending'])
              .execute();
      return sessionsById(db, [...new Set([...ids.filter((id) => isId('session', id)), ...rows.map(({ id }) => id)])]);
    });
  }

  /** A page of sessions and how many fit. Errors: PAGE_TOKEN_INVALID, ORDER_BY_INVALID, USER_NOT_FOUND, DEVICE_NOT_FOUND, RESOURCE_NOT_FOUND. */
  list(input: SessionListInput): Promise<SessionPage> {
    const { ledger, clock } = this.context;
    return ledger.read((db) => listSessions(db, ledger.sessionSearch, input, clock.now()));
  }
}

async function selected(db: LedgerReader, selection: RevokeSelection) {
  if (selection === 'everything') return { everything: true } as const;
  if ('user' in selection) return { userId: (await findUser(db, selection.user)).id };
  if ('device' in selection) return { deviceId: (await findDevice(db, selection.device)).id };
  if ('resource' in selection) return { resourceId: (await findResource(db, selection.resource)).id };
  return { ids: await findIds(db, 'session', 'session', selection.ids, 'SESSION_NOT_FOUND') };
}

/** An account may have been linked to somebody else since the approval. Errors: ACCOUNT_INELIGIBLE, USER_DISABLED. */
async function assertStillOf(
  db: LedgerReader,
  settings: Pick<Settings, 'linkAccounts'>,
  request: RequestRecord,
  device: DeviceRow,
  account: AccountIdentity,
): Promise<void> {
  const found = await findUserOfAccount(db, settings, device, account);
  if (found?.user.id !== request.user_id)
    throw new CurfewError('ACCOUNT_INELIGIBLE', { account: account.name, why: 'it no longer belongs to who asked' });
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

function one(records: readonly SessionRecord[]): SessionRecord {
  const [record] = records;
  if (record === undefined) throw new Error('a session that was just read is gone');
  return record;
}
