import { CurfewError, isId, type InstantMs } from '@curfew/shared';
import { sql } from 'kysely';
import { deviceActor } from '../devices/device-actor.js';
import type { DeviceRow } from '../devices/find-device.js';
import { findId } from '../ledger/find-by-id.js';
import type { LedgerReader } from '../ledger/ledger.js';
import { createRequest, type RequestInput } from '../requests/create-request.js';
import { requestRecords, selectRequests, type RequestRecord } from '../requests/request-record.js';
import { placeOf } from '../resources/device-group.js';
import { findOpenResource, findResource } from '../resources/find-resource.js';
import { endSessions } from '../sessions/end-sessions.js';
import {
  selectSessions,
  sessionFromRow,
  sessionsById,
  type AccountIdentity,
  type SessionRecord,
} from '../sessions/session-record.js';
import type { UseCaseContext } from '../use-case-context.js';
import { belongsToNobody, findUserOfAccount, knownUserOfAccount } from '../users/user-of-account.js';
import type { UserRecord } from '../users/users.js';
import { resourceTargets, type ResourceTarget } from './my-resources.js';

/** Somebody on a device: their account, as the device's kernel named it. */
export interface DevicePerson {
  readonly device: DeviceRow;
  readonly account: AccountIdentity;
}

/** A resource that somebody may ask for, and how they stand with it. */
export interface ResourceOffer extends ResourceTarget {
  /** The open one. */
  readonly request: RequestRecord | undefined;
  /** The newest that has not ended. */
  readonly session: SessionRecord | undefined;
}

/** What somebody has and has asked for of resources. */
export interface ResourceStanding {
  readonly userId: string;
  readonly requests: readonly RequestRecord[];
  readonly sessions: readonly SessionRecord[];
  readonly asOfMs: InstantMs;
}

export interface ResourceRequestInput extends Omit<RequestInput, 'options'> {
  readonly resource: string;
  /** The account on another device whose group the resource is; '' means the only one there. */
  readonly resourceAccount: string;
}

/** One session: by its id or a unique prefix, or the one of a resource. Exactly one is given; '' stands for none. */
export interface OwnSession {
  readonly sessionId: string;
  readonly resource: string;
}

/** How many requests and sessions somebody is shown; what is open or has not ended comes first. */
const SHOWN = 50;

/**
 * What people on devices do with resources. A device speaks for its accounts alone, and an account is its user's, by the
 * rules by which it asks for admin rights; but who is not known as a user has no resources, and is not made one.
 */
export class DeviceResources {
  constructor(private readonly context: UseCaseContext) {}

  /** What the person may ask for, by name. Errors: ACCOUNT_INELIGIBLE, USER_DISABLED. */
  offers(person: DevicePerson): Promise<{ readonly offers: ResourceOffer[]; readonly asOfMs: InstantMs }> {
    const { ledger, clock } = this.context;
    return ledger.read(async (db) => {
      const user = await this.userOf(db, person);
      const targets = await resourceTargets(db, this.context, user);
      const open = await ownRequests(db, user.id).where('r.state', 'in', ['pending', 'approved']).execute();
      const requests = await requestRecords(db, open);
      const live = await ownSessions(db, user.id).where('s.state', '<>', 'ended').execute();
      const sessions = live.map(sessionFromRow);
      const offers = targets.map((target) => {
        const isOfIt = (one: { readonly resource_id: string }): boolean => one.resource_id === target.resource.id;
        return { ...target, request: requests.find(isOfIt), session: sessions.find(isOfIt) };
      });
      return { offers, asOfMs: clock.now() };
    });
  }

  /** Asks. Errors: ACCOUNT_INELIGIBLE, USER_DISABLED, and those of `findOpenResource`, `placeOf` and `createRequest`. */
  request({ device, account }: DevicePerson, input: ResourceRequestInput): Promise<RequestRecord> {
    return this.context.ledger.write(async (tx) => {
      const user = await knownUserOfAccount(tx, this.context, device, account);
      const resource = await findOpenResource(tx.db, input.resource);
      const actor = deviceActor(device);
      // A group of this device is for nobody but the account that asks.
      const wanted = resource.device_id === device.id ? account.name : input.resourceAccount;
      const place = await placeOf(tx, this.context, resource, user, { account: wanted, actor });
      const asker = { user, target: { resource, place }, actor, freshAtMs: undefined };
      return createRequest(tx, this.context, asker, { ...input, options: place.options });
    });
  }

  /** How the person stands. Errors: ACCOUNT_INELIGIBLE, USER_DISABLED, DEVICE_REMOVED. */
  standing(person: DevicePerson): Promise<ResourceStanding> {
    const { ledger, clock } = this.context;
    return ledger.read(async (db) => {
      const user = await this.userOf(db, person);
      const requests = await ownRequests(db, user.id)
        .orderBy(sql`r.state in ('pending', 'approved')`, 'desc')
        .orderBy('r.created_at_ms', 'desc')
        .limit(SHOWN)
        .execute();
      const sessions = await ownSessions(db, user.id).limit(SHOWN).execute();
      return {
        userId: user.id,
        requests: await requestRecords(db, requests),
        sessions: sessions.map(sessionFromRow),
        asOfMs: clock.now(),
      };
    });
  }

  /** Whether any of the changed things may be a part of the standing, or may say that it is another user's now. */
  concerns(userId: string, ids: readonly string[], deviceId: string): Promise<boolean> {
    if (ids.includes(deviceId) || ids.some((id) => isId('user', id))) return Promise.resolve(true);
    return this.context.ledger.read(async (db) => {
      const request = await ownRequests(db, userId).where('r.id', 'in', ids).executeTakeFirst();
      return request !== undefined || (await ownSessions(db, userId).where('s.id', 'in', ids).execute()).length > 0;
    });
  }

  /** Gives a session of a resource back. Idempotent. Errors: SESSION_NOT_FOUND, RESOURCE_NOT_FOUND, ID_AMBIGUOUS, USER_DISABLED. */
  end({ device, account }: DevicePerson, which: OwnSession): Promise<SessionRecord> {
    const given = which.sessionId === '' ? which.resource : which.sessionId;
    const notFound = (): CurfewError => new CurfewError('SESSION_NOT_FOUND', { given });
    return this.context.ledger.write(async (tx) => {
      const found = await findUserOfAccount(tx.db, this.context.settings, device, account);
      if (found === undefined) throw notFound();
      const { user } = found;
      const own = ownSessions(tx.db, user.id);
      const row =
        which.sessionId === ''
          ? await own
              .where('s.resource_id', '=', (await findResource(tx.db, which.resource)).id)
              .where('s.state', '<>', 'ended')
              .executeTakeFirst()
          : await own
              .where('s.id', '=', await findId(tx.db, 'session', 'session', given, 'SESSION_NOT_FOUND'))
              .executeTakeFirst();
      if (row === undefined) throw notFound();
      const decision = { reason: 'ended_by_user', by: user.name, actor: deviceActor(device), detail: '' } as const;
      await endSessions(tx, this.context.clock.now(), { ids: [row.id] }, decision);
      const [session] = await sessionsById(tx.db, [row.id]);
      if (session === undefined) throw new Error('a session that was just read is gone');
      return session;
    }, 'first');
  }

  private async userOf(db: LedgerReader, { device, account }: DevicePerson): Promise<UserRecord> {
    const row = await db.selectFrom('device').select('state').where('id', '=', device.id).executeTakeFirst();
    if (row === undefined || row.state === 'removed') throw new CurfewError('DEVICE_REMOVED');
    const found = await findUserOfAccount(db, this.context.settings, device, account);
    if (found === undefined) throw belongsToNobody(account);
    return found.user;
  }
}

const ownRequests = (db: LedgerReader, userId: string) =>
  selectRequests(db).where('r.user_id', '=', userId).where('r.resource_id', 'is not', null);

/** What has not ended first, then the newest. */
const ownSessions = (db: LedgerReader, userId: string) =>
  selectSessions(db)
    .where('s.user_id', '=', userId)
    .where('s.resource_id', 'is not', null)
    .orderBy(sql`s.state <> 'ended'`, 'desc')
    .orderBy('s.created_at_ms', 'desc');
