import { CurfewError, newId } from '@curfew/shared';
import { sql, type Selectable } from 'kysely';
import { findId } from '../ledger/find-by-id.js';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from '../users/caller.js';
import { hashSecret } from '../users/hash-secret.js';
import { findDevice, type DeviceRow } from './find-device.js';

export interface JoinTokenRecord extends Omit<Selectable<Tables['join_token']>, 'hash'> {
  /** The name of the only device that it lets in again; '' where it makes new ones. */
  readonly device_name: string;
}

/** Join tokens: made, listed, revoked. They are redeemed by `Devices.enroll`. */
export class JoinTokens {
  constructor(
    private readonly context: UseCaseContext,
    /** Lower-case hex SHA-256 of the server's CA certificate: part of every token, so that an agent knows its server. */
    private readonly caFingerprint: string,
  ) {}

  /**
   * Makes a token; the secret is returned this once. One for a device works once. Errors: DEVICE_NOT_FOUND, ID_AMBIGUOUS,
   * FIELD_INVALID.
   */
  async create(
    caller: Caller,
    input: { readonly uses: number; readonly ttlMs: number; readonly device?: string | undefined },
  ): Promise<{ record: JoinTokenRecord; secret: string }> {
    const { ledger, random, clock } = this.context;
    if (input.device !== undefined && input.uses !== 1)
      throw new CurfewError('FIELD_INVALID', { field: 'uses', problem: 'a token for one device works once' });
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
    const record = await ledger.write(async (tx) => {
      const device = input.device === undefined ? undefined : await findDevice(tx.db, input.device);
      if (device?.state === 'removed') throw new CurfewError('DEVICE_NOT_FOUND', { given: device.name });
      const bound = { ...row, device_id: device?.id ?? null };
      await tx.db
        .insertInto('join_token')
        .values({ ...bound, hash: hashSecret(secret) })
        .execute();
      const data = { uses: row.uses, ...(device !== undefined && { device: device.id, name: device.name }) };
      tx.audit({ type: 'join_token.created', actor: callerActor(caller), subject: row.id, data });
      return { ...bound, device_name: device?.name ?? '' };
    });
    return { record, secret };
  }

  /** Every token that still works, newest first. */
  list(): Promise<JoinTokenRecord[]> {
    return this.context.ledger.read((db) =>
      selectTokens(db)
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
      const row = await selectTokens(tx.db).where('join_token.id', '=', id).executeTakeFirstOrThrow();
      if (row.revoked_at_ms !== null) return row;
      const now = this.context.clock.now();
      await tx.db.updateTable('join_token').set({ revoked_at_ms: now }).where('id', '=', id).execute();
      tx.audit({ type: 'join_token.revoked', actor: callerActor(caller), subject: id });
      return { ...row, revoked_at_ms: now };
    }, 'first');
  }
}

const selectTokens = (db: LedgerReader) =>
  db
    .selectFrom('join_token')
    .leftJoin('device', 'device.id', 'join_token.device_id')
    .select([
      'join_token.id',
      'uses',
      'uses_left',
      'created_by',
      'created_at_ms',
      'expires_at_ms',
      'revoked_at_ms',
      'device_id',
      sql<string>`coalesce(device.name, '')`.as('device_name'),
    ]);

/**
 * Takes one use of a token: one conditional update, so that no race takes more than there are. Gives its id, and the
 * device that it lets in again. Errors: JOIN_TOKEN_INVALID, also when that device was removed meanwhile.
 */
export async function redeemJoinToken(
  tx: LedgerTransaction,
  secret: string,
  now: number,
): Promise<{ readonly id: string; readonly device: DeviceRow | undefined }> {
  const row = await tx.db
    .updateTable('join_token')
    .set({ uses_left: sql`uses_left - 1` })
    .where('hash', '=', hashSecret(secret))
    .where('uses_left', '>', 0)
    .where('revoked_at_ms', 'is', null)
    .where('expires_at_ms', '>', now)
    .returning(['id', 'device_id'])
    .executeTakeFirst();
  if (row === undefined) throw new CurfewError('JOIN_TOKEN_INVALID');
  if (row.device_id === null) return { id: row.id, device: undefined };
  const device = await tx.db.selectFrom('device').selectAll().where('id', '=', row.device_id).executeTakeFirst();
  if (device === undefined || device.state === 'removed') throw new CurfewError('JOIN_TOKEN_INVALID');
  return { id: row.id, device };
}
