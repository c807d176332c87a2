import { CurfewError, DAY, instantMs, MINUTE, newId, safeText, type InstantMs } from '@curfew/shared';
import type { Selectable } from 'kysely';
import type { SignInConfig } from '../config/http-config.js';
import { findId } from '../ledger/find-by-id.js';
import { isStorageRefusal } from '../ledger/storage-refusal.js';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import type { SignInMethod, Tables } from '../ledger/tables.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, isOwnName, type Caller } from '../users/caller.js';
import { hashSecret } from '../users/hash-secret.js';
import { isRole, roleContains, type Role } from '../users/role.js';
import { findUser } from '../users/users.js';
import { endSignIns, type SignInEnd } from './end-sign-ins.js';

export type SignInRecord = Omit<Selectable<Tables['sign_in']>, 'hash'> & { readonly user_name: string };

/** What is known of a browser or tool that signs in. */
export interface SignInOrigin {
  /** ADDRESS:PORT. */
  readonly peer: string;
  readonly userAgent: string;
}

/** A provider's part in a sign-in. */
export interface ProviderPart {
  readonly sid: string | null;
  /** When the person proved who they are; 0 when that is not known. */
  readonly freshAtMs: number;
  readonly sealedRefreshToken: (signInId: string) => string | null;
  readonly refreshAtMs: number | null;
  readonly sealedIdToken: (signInId: string) => string | null;
}

/** A sign-in that its own browser has ended. */
export interface EndedSignIn {
  readonly id: string;
  readonly method: SignInMethod;
  /** The provider's ID token; null without one. */
  readonly sealedIdToken: string | null;
}

/** How long the record of a sign-in that is over is kept. */
const KEPT_MS = 30 * DAY;

/** Sign-ins to the console: begun, used, listed, ended. The ledger holds the hash of a cookie alone. */
export class SignIns {
  constructor(
    private readonly context: UseCaseContext,
    private readonly limits: SignInConfig,
  ) {}

  /** How long a proof of who somebody is counts as fresh for the console. */
  get freshMs(): number {
    return this.limits.freshMs;
  }

  get limitMs(): number {
    return this.limits.limitMs;
  }

  /** Begins a sign-in inside a transaction; gives the cookie's secret, which is nowhere else. */
  async begin(
    tx: LedgerTransaction,
    user: { readonly id: string; readonly name: string },
    method: SignInMethod,
    origin: SignInOrigin,
    provider?: ProviderPart,
  ): Promise<{ readonly id: string; readonly secret: string }> {
    const { random, clock } = this.context;
    const [id, secret, now] = [newId('signIn', random), random.bytes(32).toString('base64url'), clock.now()];
    const refreshToken = provider?.sealedRefreshToken(id) ?? null;
    await tx.db
      .insertInto('sign_in')
      .values({
        id,
        hash: hashSecret(secret),
        user_id: user.id,
        method,
        address: origin.peer.replace(/:\d+$/, ''),
        user_agent: safeText(origin.userAgent).slice(0, 200),
        created_at_ms: now,
        last_used_at_ms: now,
        expires_at_ms: now + this.limits.limitMs,
        fresh_at_ms: provider?.freshAtMs ?? now,
        ended_at_ms: null,
        provider_sid: provider?.sid ?? null,
        sealed_refresh_token: refreshToken,
        refresh_at_ms: refreshToken === null ? null : (provider?.refreshAtMs ?? now),
        sealed_id_token: provider?.sealedIdToken(id) ?? null,
      })
      .execute();
    await tx.db.updateTable('app_user').set({ last_sign_in_at_ms: now }).where('id', '=', user.id).execute();
    const actor = { kind: 'user', id: user.id, name: user.name } as const;
    const address = origin.peer.replace(/:\d+$/, '');
    tx.audit({ type: 'sign_in.begun', actor, subject: user.id, data: { signIn: id, method, address } });
    tx.changed('user', user.id);
    return { id, secret };
  }

  /** Whose cookie it is. `again` does not count as use. Errors: NOT_SIGNED_IN. */
  async authenticate(secret: string, again = false): Promise<Caller> {
    const { ledger, clock } = this.context;
    const now = clock.now();
    const row = await ledger.read((db) =>
      db
        .selectFrom('sign_in as s')
        .innerJoin('app_user as u', 'u.id', 's.user_id')
        .leftJoin('user_password as p', 'p.user_id', 'u.id')
        .select(['s.id', 's.method', 's.last_used_at_ms', 's.expires_at_ms', 's.fresh_at_ms', 'u.id as user_id'])
        .select(['u.name', 'u.role', 'p.must_change'])
        .where('s.hash', '=', hashSecret(secret))
        .where('s.ended_at_ms', 'is', null)
        .where('s.expires_at_ms', '>', now)
        .where('s.last_used_at_ms', '>', now - this.limits.idleMs)
        .where('u.disabled', '=', 0)
        .executeTakeFirst(),
    );
    if (row === undefined || !isRole(row.role)) throw new CurfewError('NOT_SIGNED_IN');
    const used = again ? row.last_used_at_ms : now;
    if (!again && row.last_used_at_ms <= now - Math.min(MINUTE, this.limits.idleMs / 10))
      await this.noteUse(row.id, now);
    return {
      userId: row.user_id,
      userName: row.name,
      tokenId: row.id,
      role: row.role,
      signInId: row.id,
      freshAtMs: row.fresh_at_ms,
      mustChangePassword: row.method !== 'oidc' && row.must_change === 1,
      validUntilMs: instantMs(Math.min(row.expires_at_ms, used + this.limits.idleMs)),
    };
  }

  /** The open sign-ins of the caller or, for admins and above, of another user. Errors: USER_NOT_FOUND, ROLE_TOO_HIGH. */
  list(caller: Caller, user: string): Promise<SignInRecord[]> {
    return this.context.ledger.read(async (db) => {
      const id = user === '' ? caller.userId : await userFor(db, caller, user);
      return this.open(db).where('s.user_id', '=', id).execute();
    });
  }

  /** Ends one. Idempotent. Errors: SIGN_IN_NOT_FOUND, also for somebody else's; ROLE_TOO_HIGH. */
  end(caller: Caller, given: string): Promise<void> {
    return this.context.ledger.write(async (tx) => {
      const id = await findId(tx.db, 'sign_in', 'signIn', given, 'SIGN_IN_NOT_FOUND');
      const row = await tx.db
        .selectFrom('sign_in as s')
        .innerJoin('app_user as u', 'u.id', 's.user_id')
        .select(['s.user_id', 'u.role'])
        .where('s.id', '=', id)
        .executeTakeFirstOrThrow();
      if (row.user_id !== caller.userId) {
        if (!roleContains(caller.role, 'admin')) throw new CurfewError('SIGN_IN_NOT_FOUND', { given });
        if (!roleContains(caller.role, row.role as Role)) throw new CurfewError('ROLE_TOO_HIGH', { role: caller.role });
      }
      const now = this.context.clock.now();
      await endSignIns(tx, { id, now, actor: callerActor(caller), why: 'ended by hand' });
    }, 'first');
  }

  /** Ends the sign-in of a cookie, if it is one; gives what has ended. */
  endSecret(secret: string, why: SignInEnd): Promise<EndedSignIn | undefined> {
    return this.context.ledger.write((tx) => this.endSecretIn(tx, secret, why), 'first');
  }

  /** The same inside a transaction. */
  async endSecretIn(tx: LedgerTransaction, secret: string, why: SignInEnd): Promise<EndedSignIn | undefined> {
    const row = await tx.db
      .selectFrom('sign_in as s')
      .innerJoin('app_user as u', 'u.id', 's.user_id')
      .select(['s.id', 's.method', 's.sealed_id_token', 'u.id as user_id', 'u.name'])
      .where('s.hash', '=', hashSecret(secret))
      .where('s.ended_at_ms', 'is', null)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const actor = { kind: 'user', id: row.user_id, name: row.name } as const;
    await endSignIns(tx, { id: row.id, now: this.context.clock.now(), actor, why });
    return { id: row.id, method: row.method, sealedIdToken: row.sealed_id_token };
  }

  /** Notes that the person has just proved who they are. */
  async renew(tx: LedgerTransaction, caller: Caller): Promise<void> {
    if (caller.signInId === undefined) throw new CurfewError('NOT_SIGNED_IN');
    const now = this.context.clock.now();
    const done = await tx.db
      .updateTable('sign_in')
      .set({ fresh_at_ms: now })
      .where('id', '=', caller.signInId)
      .where('ended_at_ms', 'is', null)
      .returning('id')
      .execute();
    if (done.length === 0) throw new CurfewError('NOT_SIGNED_IN');
    tx.audit({
      type: 'sign_in.renewed',
      actor: callerActor(caller),
      subject: caller.userId,
      data: { signIn: caller.signInId },
    });
    tx.changed('user', caller.userId);
  }

  /** Forgets the records of sign-ins that have long been over. */
  async sweep(): Promise<void> {
    const before = this.context.clock.now() - KEPT_MS;
    const { ledger } = this.context;
    const old = await ledger.read((db) =>
      db.selectFrom('sign_in').select('id').where('expires_at_ms', '<', before).limit(1).executeTakeFirst(),
    );
    if (old === undefined) return;
    await ledger.write(async ({ db }) => {
      await db.deleteFrom('sign_in').where('expires_at_ms', '<', before).execute();
    });
  }

  private open(db: LedgerReader) {
    const now = this.context.clock.now();
    return db
      .selectFrom('sign_in as s')
      .innerJoin('app_user as u', 'u.id', 's.user_id')
      .selectAll('s')
      .select('u.name as user_name')
      .where('s.ended_at_ms', 'is', null)
      .where('s.expires_at_ms', '>', now)
      .where('s.last_used_at_ms', '>', now - this.limits.idleMs)
      .orderBy('s.created_at_ms', 'desc');
  }

  /** First, for it may be a revoke that waits for it. A ledger that takes no writes notes nothing, and an operator must still be able to look. */
  private async noteUse(id: string, now: InstantMs): Promise<void> {
    try {
      await this.context.ledger.write(async ({ db }) => {
        await db
          .updateTable('sign_in')
          .set({ last_used_at_ms: now })
          .where('id', '=', id)
          .where('ended_at_ms', 'is', null)
          .execute();
      }, 'first');
    } catch (error) {
      if (!isStorageRefusal(error)) throw error;
    }
  }
}

/** The id of a user whose sign-ins the caller may see. Errors: USER_NOT_FOUND, METHOD_NOT_ALLOWED. */
async function userFor(db: LedgerReader, caller: Caller, given: string): Promise<string> {
  if (!roleContains(caller.role, 'admin')) {
    // Whoever may see nobody's but their own learns nothing about who there is.
    if (isOwnName(caller, given)) return caller.userId;
    throw new CurfewError('USER_NOT_FOUND', { given });
  }
  return (await findUser(db, given)).id;
}
