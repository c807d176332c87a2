import { CurfewError, newId } from '@curfew/shared';
import { sql, type Selectable } from 'kysely';
import { findId } from '../ledger/find-by-id.js';
import type { LedgerTransaction } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from '../users/caller.js';
import { hashSecret } from '../users/hash-secret.js';

export type JoinTokenRecord = Omit<Selectable<Tables['join_token']>, 'hash'>;

/** Join tokens: made, listed, revoked. They are redeemed by `Devices.enroll`. */
export class JoinTokens {
  constructor(
    private readonly context: UseCaseContext,
    /** Lower-case hex SHA-256 of the server's CA certificate: part of every token, so that an agent knows its server. */
    private readonly caFingerprint: string,
  ) {}

  /** Makes a token; the secret is returned this once. */
  async create(
    caller: Caller,
    input: { readonly uses: number; readonly ttlMs: number },
  ): Promise<{ record: JoinTokenRecord; secret: string }> {
    const { ledger, random, clock } = this.context;
    const secret = `cfj1.${random.bytes(24).toString('base64url')}.${this.caFingerprint}`;
    const row = {
      id: newId('joinToken', random),
      uses: input.uses,
      uses_left: input.uses,
      created_by: caller.userName,
      created_at_ms: clock.now(),
      expires_at_ms: clock.now() + input.ttlMs,
      revoked_at_ms: null,
    };
    await ledger.write(async (tx) => {
      await tx.db
        .insertInto('join_token')
        .values({ ...row, hash: hashSecret(secret) })
        .execute();
      tx.audit({ type: 'join_token.created', actor: callerActor(caller), subject: row.id, data: { uses: row.uses } });
    });
    return { record: row, secret };
  }

  /** Every token that still works, newest first. */
  list(): Promise<JoinTokenRecord[]> {
    return this.context.ledger.read((db) =>
      db
        .selectFrom('join_token')
        .select(['id', 'uses', 'uses_left', 'created_by', 'created_at_ms', 'expires_at_ms', 'revoked_at_ms'])
        .where('revoked_at_ms', 'is', null)
        .where('uses_left', '>', 0)
        .where('expires_at_ms', '>', this.context.clock.now())
        .orderBy('created_at_ms', 'desc')
        .execute(),
    );
  }

  /** Stops a token. Idempotent. Errors: JOIN_TOKEN_NOT_FOUND. */
  revoke(caller: Caller, given: string): Promise<JoinTokenRecord> {
    return this.context.ledger.write(async (tx) => {
      const id = await findId(tx.db, 'join_token', 'joinToken', given, 'JOIN_TOKEN_NOT_FOUND');
      const { hash: _, ...row } = await tx.db
        .selectFrom('join_token')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      if (row.revoked_at_ms !== null) return row;
      const now = this.context.clock.now();
      await tx.db.updateTable('join_token').set({ revoked_at_ms: now }).where('id', '=', id).execute();
      tx.audit({ type: 'join_token.revoked', actor: callerActor(caller), subject: id });
      return { ...row, revoked_at_ms: now };
    });
  }
}

/** Takes one use of a token: one conditional update, so that no race takes more than there are. Errors: JOIN_TOKEN_INVALID. */
export async function redeemJoinToken(tx: LedgerTransaction, secret: string, now: number): Promise<string> {
  const row = await tx.db
    .updateTable('join_token')
    .set({ uses_left: sql`uses_left - 1` })
    .where('hash', '=', hashSecret(secret))
    .where('uses_left', '>', 0)
    .where('revoked_at_ms', 'is', null)
    .where('expires_at_ms', '>', now)
    .returning('id')
    .executeTakeFirst();
  if (row === undefined) throw new CurfewError('JOIN_TOKEN_INVALID');
  return row.id;
}
