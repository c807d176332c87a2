import { CurfewError } from '@curfew/shared';
import type { Actor } from '../audit/audit-entry.js';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from '../users/caller.js';
import { roleContains } from '../users/role.js';
import { findUser } from '../users/users.js';
import { endSignIns } from './end-sign-ins.js';
import type { PasswordHasher } from './password-hasher.js';
import { checkPassword, oneTimePassword } from './password-rules.js';
import type { SignInThrottle } from './sign-in-throttle.js';

/** Passwords of local users: given, changed, proved. */
export class Passwords {
  constructor(
    private readonly context: UseCaseContext,
    private readonly hasher: PasswordHasher,
    private readonly throttle: SignInThrottle,
  ) {}

  /** Proves that the caller knows their password. Errors: PASSWORD_NOT_SET, PASSWORD_WRONG, TOO_MANY_SIGN_INS. */
  async prove(caller: Caller, password: string): Promise<void> {
    const known = await this.context.ledger.read((db) => passwordHash(db, caller.userId));
    if (known === undefined) throw new CurfewError('PASSWORD_NOT_SET');
    // A guesser at an open browser, or with somebody's token, uses up attempts of their own.
    const attempt = { nameKey: `${caller.userId} ${caller.tokenId}`, peer: `${caller.tokenId}:0`, known: false };
    this.throttle.attempt(attempt);
    if (!(await this.hasher.verify(known, password))) throw new CurfewError('PASSWORD_WRONG');
    this.throttle.succeeded(attempt);
  }

  /** Sets the caller's password; their other sign-ins end. Errors: those of `prove`, PASSWORD_TOO_WEAK. */
  async change(caller: Caller, current: string, next: string): Promise<void> {
    checkPassword(next, caller.userName);
    await this.prove(caller, current);
    if (next === current)
      throw new CurfewError('PASSWORD_TOO_WEAK', { field: 'new_password', problem: 'must be another than before' });
    const hash = await this.hasher.hash(next);
    await this.context.ledger.write(async (tx) => {
      const actor = callerActor(caller);
      await this.store(tx, caller.userId, hash, false);
      tx.audit({ type: 'password.changed', actor, subject: caller.userId });
      const now = this.context.clock.now();
      await endSignIns(tx, { userId: caller.userId, except: caller.signInId, now, actor, why: 'password changed' });
    });
  }

  /**
   * Makes a one-time password, which must be changed at the next sign-in; the user's sign-ins end.
   * Errors: USER_NOT_FOUND, ROLE_TOO_HIGH.
   */
  async reset(caller: Caller | 'server', given: string): Promise<string> {
    const password = oneTimePassword(this.context.random);
    const hash = await this.hasher.hash(password);
    const actor: Actor = caller === 'server' ? { kind: 'server' } : callerActor(caller);
    await this.context.ledger.write(async (tx) => {
      const user = await findUser(tx.db, given);
      if (caller !== 'server' && !roleContains(caller.role, user.role))
        throw new CurfewError('ROLE_TOO_HIGH', { role: caller.role });
      await this.store(tx, user.id, hash, true);
      tx.audit({ type: 'password.reset', actor, subject: user.id, data: { user: user.name } });
      tx.changed('user', user.id);
      const now = this.context.clock.now();
      await endSignIns(tx, { userId: user.id, now, actor, why: 'password changed' });
    });
    return password;
  }

  private async store(tx: LedgerTransaction, userId: string, hash: string, mustChange: boolean): Promise<void> {
    const row = { hash, must_change: Number(mustChange), changed_at_ms: this.context.clock.now() };
    await tx.db
      .insertInto('user_password')
      .values({ user_id: userId, ...row })
      .onConflict((conflict) => conflict.column('user_id').doUpdateSet(row))
      .execute();
    tx.changed('user', userId);
  }
}

/** The hash of a user's password, when there is one. */
async function passwordHash(db: LedgerReader, userId: string): Promise<string | undefined> {
  const row = await db.selectFrom('user_password').select('hash').where('user_id', '=', userId).executeTakeFirst();
  return row?.hash;
}
