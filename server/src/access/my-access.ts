import { CurfewError, requestCan, type GrantOptions } from '@curfew/shared';
import { findDevice, type DeviceRow } from '../devices/find-device.js';
import { findId } from '../ledger/find-by-id.js';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import { decide, type PolicyAnswer } from '../policies/decide.js';
import { deviceFacts, usedUnder, userFacts } from '../policies/load-facts.js';
import { readPolicies } from '../policies/policy-ledger.js';
import { createRequest, type RequestInput } from '../requests/create-request.js';
import {
  moveRequest,
  requestById,
  requestRecords,
  selectRequests,
  type RequestRecord,
} from '../requests/request-record.js';
import { placeOf } from '../resources/device-group.js';
import { findOpenResource } from '../resources/find-resource.js';
import { endSessions } from '../sessions/end-sessions.js';
import { assertEnabled, assertGranting } from '../sessions/grant-rules.js';
import { selectSessions, sessionFromRow, sessionsById, type SessionRecord } from '../sessions/session-record.js';
import { startRequest } from '../sessions/start-session.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from '../users/caller.js';
import { chosenAccount } from '../users/chosen-account.js';
import { ownAccounts, type OwnAccount } from '../users/own-accounts.js';
import { insertLink, userById, type UserRecord } from '../users/users.js';
import { resourceTargets, type ResourceTarget } from './my-resources.js';

/** How much of their history people are shown. */
const SHOWN = 200;

/** An account that a person could ask admin rights for, and what the policies say to that. */
interface DeviceTarget {
  readonly device: DeviceRow;
  readonly account: OwnAccount;
  readonly answer: PolicyAnswer;
}

/** What a person could ask for: an account of a device, or a resource. */
export type AccessTarget = DeviceTarget | ResourceTarget;

export interface MyRequestInput extends RequestInput {
  /** Exactly one of device and resource is given; '' stands for none. */
  readonly device: string;
  readonly resource?: string;
  /** '' means the person's only one there. */
  readonly account: string;
}

/** What people do for themselves without a terminal: nothing here shows or changes what is another's. */
export class MyAccess {
  constructor(private readonly context: UseCaseContext) {}

  /**
   * Every account of the caller's that could be elevated, by the device's name, then every resource, by its name, with the
   * answer to asking for it.
   */
  targets(caller: Caller, options: GrantOptions): Promise<AccessTarget[]> {
    const { ledger, clock, settings } = this.context;
    return ledger.read(async (db) => {
      const [now, policies] = [clock.now(), await readPolicies(db)];
      const user = await userById(db, caller.userId);
      const resources = await resourceTargets(db, this.context, user);
      const own = (await ownAccounts(db, settings, user)).filter(({ ineligibleReason }) => ineligibleReason === '');
      if (own.length === 0) return resources;
      const ids = [...new Set(own.map(({ deviceId }) => deviceId))];
      const rows = await db
        .selectFrom('device')
        .selectAll()
        .where('id', 'in', ids)
        .where('state', '<>', 'removed')
        .execute();
      const devices = new Map(rows.map((row) => [row.id, row]));
      const used = await usedUnder(db, user.id, policies, now);
      const ask = { durationMs: undefined, reason: undefined, ticket: undefined, options, breakGlass: false };
      const onDevices = own
        .flatMap((account) => {
          const device = devices.get(account.deviceId);
          if (device === undefined) return [];
          const target = { device: deviceFacts(device, account) };
          const facts = { user: userFacts(user), target, ask, used };
          return [{ device, account, answer: decide(policies, facts, settings, now) }];
        })
        .sort((a, b) => a.device.name.localeCompare(b.device.name) || a.account.name.localeCompare(b.account.name));
      return [...onDevices, ...resources];
    });
  }

  /** Asks. Errors: those of `findOpenResource`, DEVICE_NOT_FOUND, ACCOUNT_NOT_FOUND, ACCOUNT_INELIGIBLE, and those of `createRequest`. */
  request(caller: Caller, input: MyRequestInput): Promise<RequestRecord> {
    return this.context.ledger.write(async (tx) => {
      const user = await enabledUser(tx.db, caller);
      const [actor, freshAtMs] = [callerActor(caller), caller.freshAtMs];
      const { resource: wanted = '' } = input;
      if (wanted !== '') {
        const resource = await findOpenResource(tx.db, wanted);
        const place = await placeOf(tx, this.context, resource, user, { account: input.account, actor });
        const { options } = place;
        return createRequest(
          tx,
          this.context,
          { user, target: { resource, place }, actor, freshAtMs },
          { ...input, options },
        );
      }
      const device = await findDevice(tx.db, input.device);
      if (device.state === 'removed') throw new CurfewError('DEVICE_NOT_FOUND', { given: input.device });
      const own = await ownAccounts(tx.db, this.context.settings, user, device.id);
      const account = chosenAccount(own, user, input.account);
      if (!account.linked)
        await insertLink(
          tx,
          {
            device_id: device.id,
            uid: account.uid,
            account_name: account.name,
            user_id: user.id,
            linked_by: 'by name',
          },
          actor,
        );
      const { name, uid, sid, fingerprint } = account;
      const target = { device, account: { name, uid, sid, fingerprint } };
      return createRequest(tx, this.context, { user, target, actor, freshAtMs }, input);
    });
  }

  /** Withdraws. Errors: REQUEST_NOT_FOUND, REQUEST_NOT_OPEN. */
  cancel(caller: Caller, given: string): Promise<RequestRecord> {
    return this.context.ledger.write(async (tx) => {
      const request = await ownRequest(tx.db, caller, given);
      const { id, state } = request;
      if (!requestCan.cancel(state)) throw new CurfewError('REQUEST_NOT_OPEN', { id, state });
      return moveRequest(tx, request, 'cancelled', this.context.clock.now(), callerActor(caller));
    });
  }

  /** Starts an approved request. Errors: REQUEST_NOT_FOUND, DEVICE_NOT_FOUND, ACCOUNT_NOT_FOUND, ACCOUNT_INELIGIBLE, LEDGER_ROLLED_BACK, and those of `startRequest`. */
  start(caller: Caller, given: string): Promise<SessionRecord> {
    return this.context.ledger.write(async (tx) => {
      await assertGranting(tx.db);
      const request = await ownRequest(tx.db, caller, given);
      // What is for a resource has started by itself.
      if (request.resource_id !== '')
        throw new CurfewError('REQUEST_NOT_APPROVED', { id: request.id, state: request.state });
      const device = await findDevice(tx.db, request.device_id);
      if (device.state === 'removed') throw new CurfewError('DEVICE_NOT_FOUND', { given: request.device_name });
      await this.assertSameAccount(tx, request);
      const starter = { actor: callerActor(caller), freshAtMs: caller.freshAtMs };
      const id = await startRequest(tx, this.context, { device }, request, starter);
      return only(await sessionsById(tx.db, [id]));
    });
  }

  /** Gives a session back. Idempotent. Errors: SESSION_NOT_FOUND. */
  end(caller: Caller, given: string): Promise<SessionRecord> {
    return this.context.ledger.write(async (tx) => {
      const id = await findId(tx.db, 'session', 'session', given, 'SESSION_NOT_FOUND');
      const [session] = await sessionsById(tx.db, [id]);
      if (session?.user_id !== caller.userId) throw new CurfewError('SESSION_NOT_FOUND', { given });
      const decision = {
        reason: 'ended_by_user',
        by: caller.userName,
        actor: callerActor(caller),
        detail: '',
      } as const;
      await endSessions(tx, this.context.clock.now(), { ids: [id] }, decision);
      return only(await sessionsById(tx.db, [id]));
    }, 'first');
  }

  /** The caller's newest requests and sessions, newest first; with ids only those of them. */
  history(caller: Caller, ids?: readonly string[]): Promise<{ requests: RequestRecord[]; sessions: SessionRecord[] }> {
    return this.context.ledger.read(async (db) => {
      let requests = selectRequests(db)
        .where('r.user_id', '=', caller.userId)
        .orderBy('r.created_at_ms', 'desc')
        .limit(SHOWN);
      let sessions = selectSessions(db)
        .where('s.user_id', '=', caller.userId)
        .orderBy('s.created_at_ms', 'desc')
        .limit(SHOWN);
      if (ids !== undefined) {
        requests = requests.where('r.id', 'in', ids);
        sessions = sessions.where('s.id', 'in', ids);
      }
      const rows = await sessions.execute();
      return { requests: await requestRecords(db, await requests.execute()), sessions: rows.map(sessionFromRow) };
    });
  }

  /** The account may be somebody else's by now, or another one under the same uid. */
  private async assertSameAccount(tx: LedgerTransaction, request: RequestRecord): Promise<void> {
    const { account } = request;
    const user = { id: request.user_id, name: request.user_name };
    const own = await ownAccounts(tx.db, this.context.settings, user, request.device_id);
    const now = own.find(({ uid }) => uid === account.uid);
    if (now === undefined) throw new CurfewError('ACCOUNT_NOT_FOUND', { given: account.name });
    const same = now.name === account.name && now.fingerprint === account.fingerprint;
    const why = same ? now.ineligibleReason : 'it is not the account that asked';
    if (why !== '') throw new CurfewError('ACCOUNT_INELIGIBLE', { account: account.name, why });
  }
}

async function enabledUser(db: LedgerReader, caller: Caller): Promise<UserRecord> {
  const user = await userById(db, caller.userId);
  assertEnabled(user);
  return user;
}

async function ownRequest(db: LedgerReader, caller: Caller, given: string): Promise<RequestRecord> {
  const request = await requestById(db, await findId(db, 'access_request', 'request', given, 'REQUEST_NOT_FOUND'));
  if (request.user_id !== caller.userId) throw new CurfewError('REQUEST_NOT_FOUND', { given });
  return request;
}

function only<T>(records: readonly T[]): T {
  const [record] = records;
  if (record === undefined) throw new Error('what was just written is gone');
  return record;
}
