import { CurfewError, instantMs, MINUTE, newId, type InstantMs } from '@curfew/shared';
import type { Selectable } from 'kysely';
import type { Actor } from '../audit/audit-entry.js';
import { findId } from '../ledger/find-by-id.js';
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

  /** Makes a token; the secret is returned this once. Errors: USER_NOT_FOUND, ROLE_TOO_HIGH. */
  async create(
    actor: { readonly actor: Actor; readonly caller?: Caller },
    input: {
      readonly user: string;
      readonly label: string;
      readonly scope: Role | undefined;
      readonly ttlMs: number;
      /** The sign-in in which the tool was let in. */
      readonly signInId?: string | undefined;
    },
  ): Promise<{ record: ApiTokenRecord; secret: string }> {
    const { ledger, random, clock } = this.context;
    const secret = PREFIX + random.bytes(32).toString('base64url');
    const record = await ledger.write(async (tx) => {
      const user =
        input.user === '' && actor.caller !== undefined
          ? await userById(tx.db, actor.caller.userId)
          : await findUser(tx.db, input.user);
      const scope = input.scope ?? user.role;
      const other = actor.caller !== undefined && actor.caller.userId !== user.id && actor.caller.role !== 'owner';
      const beyond = actor.caller !== undefined && !roleContains(actor.caller.role, scope);
      if (other || beyond) throw new CurfewError('ROLE_TOO_HIGH', { role: actor.caller.role });
      const row = {
        id: newId('apiToken', random),
        user_id: user.id,
        label: input.label,
        scope,
        created_at_ms: clock.now(),
        expires_at_ms: clock.now() + input.ttlMs,
        last_used_at_ms: null,
        revoked_at_ms: null,
        sign_in_id: input.signInId ?? null,
      };
      await tx.db
        .insertInto('api_token')
        .values({ ...row, hash: hashSecret(secret) })
        .execute();
      tx.audit({
        type: 'api_token.created',
        actor: actor.actor,
        subject: row.id,
        data: { user: user.name, scope, label: row.label },
      });
      tx.changed('user', user.id);
      return { ...row, user_name: user.name };
    });
    return { record, secret };
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
