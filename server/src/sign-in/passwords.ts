import { CurfewError, instantMs, type InstantMs } from '@curfew/shared';
import type { Actor } from '../audit/audit-entry.js';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from '../users/caller.js';
import { roleContains } from '../users/role.js';
import { revokeTokens } from '../users/revoke-tokens.js';
import { findUser } from '../users/users.js';
import { endSignIns } from './end-sign-ins.js';
import type { PasswordHasher } from './password-hasher.js';
import { checkPassword, oneTimePassword } from './password-rules.js';
import type { SignInThrottle } from './sign-in-throttle.js';

/** A password that works for one sign-in. */
export interface OneTimePassword {
  readonly password: string;
  /** When it stops working; undefined for one that has no end. */
  readonly expiresAtMs: InstantMs | undefined;
}

/** A password that was just made, and what the ledger keeps of it. */
export interface NewPassword {
  readonly password: string;
  readonly hash: string;
}

/** That somebody knew a password a moment ago. */
export interface PasswordProof {
  readonly userId: string;
  /** The hash of that password, as it was then. */
  readonly hash: string;
}

/** Passwords of local users: given, changed, proved. */
export class Passwords {
  constructor(
    private readonly context: UseCaseContext,
    private readonly hasher: PasswordHasher,
    private readonly throttle: SignInThrottle,
    /** How long a one-time password works that an admin gives. */
    private readonly oneTimeMs: number,
  ) {}

  /**
   * Proves that the caller knows their password; gives the proof, which `mustHold` takes where something is written.
   * Errors: PASSWORD_NOT_SET, PASSWORD_WRONG, ONE_TIME_PASSWORD_EXPIRED, TOO_MANY_SIGN_INS.
   */
  async prove(caller: Caller, password: string): Promise<PasswordProof> {
    const known = await this.context.ledger.read((db) => passwordOf(db, caller.userId));
    if (known === undefined) throw new CurfewError('PASSWORD_NOT_SET');
    // A guesser at an open browser, or with somebody's token, uses up attempts of their own.
    const attempt = { nameKey: `${caller.userId} ${caller.tokenId}`, peer: `${caller.tokenId}:0`, known: false };
    this.throttle.attempt(attempt);
    if (!(await this.hasher.verify(known.hash, password))) throw new CurfewError('PASSWORD_WRONG');
    this.throttle.succeeded(attempt);
    if (hasExpired(known, this.context.clock.now())) throw new CurfewError('ONE_TIME_PASSWORD_EXPIRED');
    return { userId: caller.userId, hash: known.hash };
  }

  /** Sets the caller's password; their other sign-ins end, and their tools are out. Errors: those of `prove`, PASSWORD_TOO_WEAK. */
  async change(caller: Caller, current: string, next: string): Promise<void> {
    checkPassword(next, caller.userName);
    const proof = await this.prove(caller, current);
    if (next === current)
      throw new CurfewError('PASSWORD_TOO_WEAK', { field: 'new_password', problem: 'must be another than before' });
    const hash = await this.hasher.hash(next);
    await this.context.ledger.write(async (tx) => {
      const actor = callerActor(caller);
      await mustHold(tx.db, proof);
      await this.store(tx, caller.userId, { hash, must_change: 0, expires_at_ms: null });
      tx.audit({ type: 'password.changed', actor, subject: caller.userId });
      const now = this.context.clock.now();
      await endSignIns(tx, { userId: caller.userId, except: caller.signInId, now, actor, why: 'password changed' });
      // Whoever knew the old one may have let a tool in, in whatever sign-in, and have ended that.
      await revokeTokens(tx, { userId: caller.userId, toolsOnly: true, except: caller.tokenId, now, actor });
    });
  }

  /**
   * Makes a one-time password, which must be changed at the next sign-in; the user's sign-ins end, and all their API
   * tokens but one that the caller uses stop. One that the server itself gives out, at the first start, has no end: nobody is there to give another.
   * Errors: USER_NOT_FOUND, ROLE_TOO_HIGH; PASSWORD_NOT_RESET and PASSWORD_NOT_SET for one's own.
   */
  async reset(caller: Caller | 'server', given: string): Promise<OneTimePassword> {
    const made = await this.oneTime();
    return this.context.ledger.write(async (tx) => {
      const user = await findUser(tx.db, given);
      if (caller !== 'server' && !roleContains(caller.role, user.role))
        throw new CurfewError('ROLE_TOO_HIGH', { role: caller.role });
      if (caller !== 'server' && caller.userId === user.id) await mayResetOwn(tx.db, caller);
      return { password: made.password, expiresAtMs: await this.giveIn(tx, caller, user, made) };
    });
  }

  /** A one-time password that nobody has yet. Errors: TOO_MANY_SIGN_INS. */
  async oneTime(): Promise<NewPassword> {
    const password = oneTimePassword(this.context.random);
    return { password, hash: await this.hasher.hash(password) };
  }

  /** Gives it to a user, inside a transaction; tells when it stops working. */
  async giveIn(
    tx: LedgerTransaction,
    by: Caller | 'server',
    user: { readonly id: string; readonly name: string },
    { hash }: NewPassword,
  ): Promise<InstantMs | undefined> {
    const now = this.context.clock.now();
    const actor: Actor = by === 'server' ? { kind: 'server' } : callerActor(by);
    const expiresAtMs = by === 'server' ? undefined : instantMs(now + this.oneTimeMs);
    await this.store(tx, user.id, { hash, must_change: 1, expires_at_ms: expiresAtMs ?? null });
    tx.audit({ type: 'password.reset', actor, subject: user.id, data: { user: user.name } });
    tx.changed('user', user.id);
    await endSignIns(tx, { userId: user.id, now, actor, why: 'password changed' });
    await revokeTokens(tx, { userId: user.id, ...(by === 'server' ? {} : { except: by.tokenId }), now, actor });
    return expiresAtMs;
  }

  private async store(
    tx: LedgerTransaction,
    userId: string,
    given: Pick<Tables['user_password'], 'hash' | 'must_change' | 'expires_at_ms'>,
  ): Promise<void> {
    const row = { ...given, changed_at_ms: this.context.clock.now() };
    await tx.db
      .insertInto('user_password')
      .values({ user_id: userId, ...row })
      .onConflict((conflict) => conflict.column('user_id').doUpdateSet(row))
      .execute();
    tx.changed('user', userId);
  }
}

/** A user's password, when there is one. */
const passwordOf = (db: LedgerReader, userId: string) =>
  db.selectFrom('user_password').select(['hash', 'expires_at_ms']).where('user_id', '=', userId).executeTakeFirst();

/**
 * One's own password is reset with an API token alone, which is how a lone owner who has lost theirs gets in again, and
 * only when there is one: who signs in at a provider is given a first one by somebody else.
 * Errors: PASSWORD_NOT_RESET, PASSWORD_NOT_SET.
 */
async function mayResetOwn(db: LedgerReader, { userId, signInId }: Caller): Promise<void> {
  if ((await passwordOf(db, userId)) === undefined) throw new CurfewError('PASSWORD_NOT_SET');
  if (signInId !== undefined) throw new CurfewError('PASSWORD_NOT_RESET');
}

/** Inside the transaction: an admin may have reset the password while it was worked out. Errors: PASSWORD_WRONG. */
export async function mustHold(db: LedgerReader, { userId, hash }: PasswordProof): Promise<void> {
  if ((await passwordOf(db, userId))?.hash !== hash) throw new CurfewError('PASSWORD_WRONG');
}

/** Whether a one-time password has waited for too long. */
export const hasExpired = ({ expires_at_ms }: { readonly expires_at_ms: number | null }, now: InstantMs): boolean =>
  expires_at_ms !== null && expires_at_ms <= now;
