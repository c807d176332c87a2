import { CurfewError } from '@curfew/shared';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';
import type { SecretBox } from '../secrets/secret-box.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, isOwnName, type Caller } from '../users/caller.js';
import { hashSecret } from '../users/hash-secret.js';
import { roleContains } from '../users/role.js';
import { findUser, userById } from '../users/users.js';
import { toBase32 } from './base32.js';
import { randomGroups } from './password-rules.js';
import { mustHold, type Passwords } from './passwords.js';
import { matchTotp, TOTP_SECRET_BYTES, totpUri } from './totp.js';

const RECOVERY_CODES = 10;
/** What authenticator apps show beside the user's name. */
const ISSUER = 'Curfew';

/** One-time codes of local users: turned on, used, turned off. */
export class TotpCodes {
  constructor(
    private readonly context: UseCaseContext,
    private readonly secrets: SecretBox,
    private readonly passwords: Passwords,
  ) {}

  /** Makes a secret, in place of one that was not confirmed. Errors: PASSWORD_NOT_SET, TOTP_ALREADY_ON. */
  async begin(caller: Caller): Promise<{ readonly uri: string; readonly secret: string }> {
    const secret = this.context.random.bytes(TOTP_SECRET_BYTES);
    await this.context.ledger.write(async ({ db }) => {
      const password = await db
        .selectFrom('user_password')
        .select('user_id')
        .where('user_id', '=', caller.userId)
        .executeTakeFirst();
      // Somebody who signs in at a provider is asked for codes there, never here.
      if (password === undefined) throw new CurfewError('PASSWORD_NOT_SET');
      if (await totpOn(db, caller.userId)) throw new CurfewError('TOTP_ALREADY_ON');
      const row = {
        sealed_secret: this.secrets.seal(secret.toString('hex'), caller.userId),
        begun_at_ms: this.context.clock.now(),
        confirmed_at_ms: null,
        last_step: 0,
      };
      await db
        .insertInto('user_totp')
        .values({ user_id: caller.userId, ...row })
        .onConflict((conflict) => conflict.column('user_id').doUpdateSet(row))
        .execute();
    });
    return { uri: totpUri(secret, caller.userName, ISSUER), secret: toBase32(secret) };
  }

  /** Turns codes on; gives the recovery codes, this once. Errors: TOTP_NOT_BEGUN, TOTP_ALREADY_ON, TOTP_CODE_WRONG. */
  confirm(caller: Caller, code: string): Promise<string[]> {
    return this.context.ledger.write(async (tx) => {
      const row = await totpRow(tx.db, caller.userId);
      if (row === undefined) throw new CurfewError('TOTP_NOT_BEGUN');
      if (row.confirmed_at_ms !== null) throw new CurfewError('TOTP_ALREADY_ON');
      const now = this.context.clock.now();
      const step = matchTotp(this.secretOf(row), code, now, row.last_step);
      if (step === undefined) throw new CurfewError('TOTP_CODE_WRONG');
      await tx.db
        .updateTable('user_totp')
        .set({ confirmed_at_ms: now, last_step: step })
        .where('user_id', '=', caller.userId)
        .execute();
      await tx.db.deleteFrom('recovery_code').where('user_id', '=', caller.userId).execute();
      const codes = Array.from({ length: RECOVERY_CODES }, () => randomGroups(this.context.random, 4, 4));
      const rows = codes.map((text) => ({ user_id: caller.userId, hash: recoveryHash(text), used_at_ms: null }));
      await tx.db.insertInto('recovery_code').values(rows).execute();
      tx.audit({ type: 'totp.turned_on', actor: callerActor(caller), subject: caller.userId });
      tx.changed('user', caller.userId);
      return codes;
    });
  }

  /**
   * Turns codes off: the caller's own with their password, by whatever name they are called; another user's for admins
   * and above. Idempotent. Errors: those of `prove`, USER_NOT_FOUND, ROLE_TOO_HIGH.
   */
  async remove(caller: Caller, given: string, password: string): Promise<void> {
    const { ledger } = this.context;
    const userId = await ledger.read((db) => userMeant(db, caller, given));
    const proof = userId === caller.userId ? await this.passwords.prove(caller, password) : undefined;
    await ledger.write(async (tx) => {
      const user = await userById(tx.db, userId);
      if (proof !== undefined) await mustHold(tx.db, proof);
      else if (!roleContains(caller.role, user.role)) throw new CurfewError('ROLE_TOO_HIGH', { role: caller.role });
      const gone = await tx.db.deleteFrom('user_totp').where('user_id', '=', user.id).returning('user_id').execute();
      await tx.db.deleteFrom('recovery_code').where('user_id', '=', user.id).execute();
      if (gone.length === 0) return;
      tx.audit({ type: 'totp.turned_off', actor: callerActor(caller), subject: user.id, data: { user: user.name } });
      tx.changed('user', user.id);
    });
  }

  /**
   * Uses a one-time code or a recovery code, inside the transaction of what it is for. False when it is neither, or was
   * used before.
   */
  async use(tx: LedgerTransaction, userId: string, code: string): Promise<boolean> {
    const row = await totpRow(tx.db, userId);
    if (row === undefined) return false;
    const step = matchTotp(this.secretOf(row), code, this.context.clock.now(), row.last_step);
    if (step === undefined) return this.useRecoveryCode(tx, userId, code);
    const used = await tx.db
      .updateTable('user_totp')
      .set({ last_step: step })
      .where('user_id', '=', userId)
      .where('last_step', '<', step)
      .returning('user_id')
      .execute();
    return used.length === 1;
  }

  private secretOf({ user_id, sealed_secret }: Tables['user_totp']): Buffer {
    return Buffer.from(this.secrets.unseal(sealed_secret, user_id), 'hex');
  }

  private async useRecoveryCode(tx: LedgerTransaction, userId: string, code: string): Promise<boolean> {
    const used = await tx.db
      .updateTable('recovery_code')
      .set({ used_at_ms: this.context.clock.now() })
      .where('user_id', '=', userId)
      .where('hash', '=', recoveryHash(code))
      .where('used_at_ms', 'is', null)
      .returning('user_id')
      .execute();
    if (used.length === 0) return false;
    tx.audit({ type: 'recovery_code.used', actor: { kind: 'server' }, subject: userId });
    return true;
  }
}

/** The id of the user whose codes are to go. Errors: USER_NOT_FOUND, ROLE_TOO_HIGH. */
async function userMeant(db: LedgerReader, caller: Caller, given: string): Promise<string> {
  if (given === '' || isOwnName(caller, given)) return caller.userId;
  if (!roleContains(caller.role, 'admin')) throw new CurfewError('ROLE_TOO_HIGH', { role: caller.role });
  return (await findUser(db, given)).id;
}

/** 80 random bits: nothing to guess. Spaces, hyphens and case are the reader's. */
const recoveryHash = (text: string): string => hashSecret(text.toLowerCase().replaceAll(/[\s-]/g, ''));

const totpRow = (db: LedgerReader, userId: string) =>
  db.selectFrom('user_totp').selectAll().where('user_id', '=', userId).executeTakeFirst();

/** Whether a user's one-time codes are on. */
export async function totpOn(db: LedgerReader, userId: string): Promise<boolean> {
  return ((await totpRow(db, userId))?.confirmed_at_ms ?? null) !== null;
}
