import { CurfewError, instantMs, MINUTE, newId, type InstantMs } from '@curfew/shared';
import type { Selectable } from 'kysely';
import type { Actor } from '../audit/audit-entry.js';
import { findId } from '../ledger/find-by-id.js';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import { isStorageRefusal } from '../ledger/storage-refusal.js';
import type { Tables } from '../ledger/tables.js';
import type { UseCaseContext } from '../use-case-context.js';
import { isRole, lesserRole, roleContains, type Role } from './role.js';
import { callerActor, type Caller } from './caller.js';
import { hashSecret } from './hash-secret.js';
import { revokeTokens } from './revoke-tokens.js';
import { findUser, userById } from './users.js';

const PREFIX = 'cft1.';

export type ApiTokenRecord = Omit<Selectable<Tables['api_token']>, 'hash'> & { user_name: string };

/** A token that was just made. */
export interface MadeToken {
  readonly record: ApiTokenRecord;
  readonly secret: string;
}

/** Who makes a token; without a caller it is the server. */
export interface TokenMaker {
  readonly actor: Actor;
  readonly caller?: Caller;
}

export interface TokenInput {
  /** By id, name or unique prefix; '' is the caller. */
  readonly user: string;
  readonly label: string;
  /** Undefined means the user's role. */
  readonly scope: Role | undefined;
  readonly ttlMs: number;
  /** The sign-in in which the tool was let in. */
  readonly signInId?: string | undefined;
}

/** API tokens: made, used, revoked. */
export class ApiTokens {
  constructor(private readonly context: UseCaseContext) {}

  /** The operator whose token it is. Errors: NOT_SIGNED_IN. */
  async authenticate(secret: string): Promise<Caller> {
    const { ledger, clock } = this.context;
    const now = clock.now();
    const row = await ledger.read((db) =>
      db
        .selectFrom('api_token as t')
        .innerJoin('app_user as u', 'u.id', 't.user_id')
        .select(['t.id', 't.scope', 't.last_used_at_ms', 't.expires_at_ms', 'u.id as user_id', 'u.name', 'u.role'])
        .where('t.hash', '=', hashSecret(secret))
        .where('t.expires_at_ms', '>', now)
        .where('t.revoked_at_ms', 'is', null)
        .where('u.disabled', '=', 0)
        .executeTakeFirst(),
    );
    if (row === undefined || !isRole(row.role) || !isRole(row.scope)) throw new CurfewError('NOT_SIGNED_IN');
    if ((row.last_used_at_ms ?? 0) <= now - MINUTE) await this.noteUse(row.id, now);
    return {
      userId: row.user_id,
      userName: row.name,
      tokenId: row.id,
      role: lesserRole(row.role, row.scope),
      validUntilMs: instantMs(row.expires_at_ms),
    };
  }

  /**
   * Makes a token; the secret is returned this once. One that a token makes for its own user ends with it at the latest,
   * and whenever the tools of its sign-in do. Errors: USER_NOT_FOUND, ROLE_TOO_HIGH, NOT_SIGNED_IN.
   */
  create(actor: TokenMaker, input: TokenInput): Promise<MadeToken> {
    return this.context.ledger.write((tx) => this.createIn(tx, actor, input));
  }

  /** The same inside a transaction. */
  async createIn(tx: LedgerTransaction, { actor, caller }: TokenMaker, input: TokenInput): Promise<MadeToken> {
    const { random, clock } = this.context;
    const secret = PREFIX + random.bytes(32).toString('base64url');
    const user =
      input.user === '' && caller !== undefined
        ? await userById(tx.db, caller.userId)
        : await findUser(tx.db, input.user);
    const scope = input.scope ?? user.role;
    const own = caller?.userId === user.id;
    const beyond = caller !== undefined && !roleContains(caller.role, scope);
    if ((caller !== undefined && !own && caller.role !== 'owner') || beyond)
      throw new CurfewError('ROLE_TOO_HIGH', { role: caller.role });
    const [now, used] = [clock.now(), caller && (await usedBy(tx.db, caller))];
    const row = {
      id: newId('apiToken', random),
      user_id: user.id,
      label: input.label,
      scope,
      created_at_ms: now,
      expires_at_ms: own ? Math.min(now + input.ttlMs, used?.expires_at_ms ?? Infinity) : now + input.ttlMs,
      last_used_at_ms: null,
      revoked_at_ms: null,
      sign_in_id: input.signInId ?? (own ? (used?.sign_in_id ?? null) : null),
    };
    await tx.db
      .insertInto('api_token')
      .values({ ...row, hash: hashSecret(secret) })
      .execute();
    tx.audit({
      type: 'api_token.created',
      actor,
      subject: row.id,
      data: { user: user.name, scope, label: row.label },
    });
    tx.changed('user', user.id);
    return { record: { ...row, user_name: user.name }, secret };
  }

  /** The token that a call was made with; undefined when it was a sign-in. */
  async current({ tokenId, signInId }: Caller): Promise<ApiTokenRecord | undefined> {
    if (signInId !== undefined) return undefined;
    return this.context.ledger.read((db) =>
      db
        .selectFrom('api_token as t')
        .innerJoin('app_user as u', 'u.id', 't.user_id')
        .selectAll('t')
        .select('u.name as user_name')
        .where('t.id', '=', tokenId)
        .executeTakeFirst(),
    );
  }

  /** The caller's tokens that still work; all of them for owners. */
  list(caller: Caller): Promise<ApiTokenRecord[]> {
    return this.context.ledger.read(async (db) => {
      let query = db
        .selectFrom('api_token as t')
        .innerJoin('app_user as u', 'u.id', 't.user_id')
        .selectAll('t')
        .select('u.name as user_name')
        .where('t.revoked_at_ms', 'is', null)
        .where('t.expires_at_ms', '>', this.context.clock.now())
        .orderBy('t.created_at_ms', 'desc');
      if (caller.role !== 'owner') query = query.where('t.user_id', '=', caller.userId);
      return query.execute();
    });
  }

  /** Stops a token. Idempotent. Errors: API_TOKEN_NOT_FOUND. */
  revoke(caller: Caller, given: string): Promise<ApiTokenRecord> {
    return this.context.ledger.write(async (tx) => {
      const id = await findId(tx.db, 'api_token', 'apiToken', given, 'API_TOKEN_NOT_FOUND');
      const row = await tx.db
        .selectFrom('api_token as t')
        .innerJoin('app_user as u', 'u.id', 't.user_id')
        .selectAll('t')
        .select('u.name as user_name')
        .where('t.id', '=', id)
        .executeTakeFirstOrThrow();
      if (row.user_id !== caller.userId && caller.role !== 'owner')
        throw new CurfewError('API_TOKEN_NOT_FOUND', { given });
      if (row.revoked_at_ms !== null) return row;
      const now = this.context.clock.now();
      await revokeTokens(tx, { tokenId: id, now, actor: callerActor(caller) });
      return { ...row, revoked_at_ms: now };
    }, 'first');
  }

  /** First, for it may be a revoke that waits for it. A ledger that takes no writes notes nothing, and an operator must still be able to look. */
  private async noteUse(id: string, now: InstantMs): Promise<void> {
    try {
      await this.context.ledger.write(async ({ db }) => {
        await db.updateTable('api_token').set({ last_used_at_ms: now }).where('id', '=', id).execute();
      }, 'first');
    } catch (error) {
      if (!isStorageRefusal(error)) throw error;
    }
  }
}

/** The token that a caller uses, undefined for a sign-in, as they stand now: who is out makes none. Errors: NOT_SIGNED_IN. */
async function usedBy(db: LedgerReader, { tokenId, signInId }: Caller) {
  if (signInId !== undefined) {
    const open = db.selectFrom('sign_in').select('id').where('id', '=', signInId).where('ended_at_ms', 'is', null);
    if ((await open.executeTakeFirst()) === undefined) throw new CurfewError('NOT_SIGNED_IN');
    return undefined;
  }
  const token = await db
    .selectFrom('api_token')
    .select(['expires_at_ms', 'sign_in_id'])
    .where('id', '=', tokenId)
    .where('revoked_at_ms', 'is', null)
    .executeTakeFirst();
  if (token === undefined) throw new CurfewError('NOT_SIGNED_IN');
  return token;
}
