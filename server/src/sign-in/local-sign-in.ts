import { CurfewError } from '@curfew/shared';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import type { UseCaseContext } from '../use-case-context.js';
import type { Caller } from '../users/caller.js';
import type { PasswordHasher } from './password-hasher.js';
import { hasExpired, type Passwords } from './passwords.js';
import type { SignInOrigin, SignIns } from './sign-ins.js';
import type { SignInThrottle } from './sign-in-throttle.js';
import { totpOn, type TotpCodes } from './totp-codes.js';

/** What somebody typed to sign in. */
export interface LocalProof {
  readonly name: string;
  readonly password: string;
  /** A one-time or recovery code; '' without one. */
  readonly code: string;
}

interface LocalUser {
  readonly id: string;
  readonly name: string;
  readonly hash: string | null;
  readonly expires_at_ms: number | null;
  readonly disabled: number;
}

export interface LocalSignInParts {
  readonly context: UseCaseContext;
  readonly hasher: PasswordHasher;
  readonly throttle: SignInThrottle;
  readonly signIns: SignIns;
  readonly passwords: Passwords;
  readonly codes: TotpCodes;
}

/** Signing in with a name and a password of the server's own. */
export class LocalSignIn {
  constructor(private readonly parts: LocalSignInParts) {}

  /**
   * Signs in; gives the secret of the new cookie. What was signed in with `previous` before is over. An unknown name, a
   * disabled user, one without a password and a wrong password have the same answer after the same work.
   * Errors: SIGN_IN_FAILED, ONE_TIME_PASSWORD_EXPIRED, TOTP_CODE_REQUIRED, TOO_MANY_SIGN_INS.
   */
  async signIn(proof: LocalProof, origin: SignInOrigin, previous: string | undefined): Promise<string> {
    const { context, hasher, throttle, signIns, codes } = this.parts;
    const nameKey = proof.name.normalize('NFKC').trim().toLowerCase();
    const { user, known } = await context.ledger.read((db) => lookUp(db, nameKey, origin));
    const attempt = { nameKey, peer: origin.peer, known };
    throttle.attempt(attempt);
    const right = await hasher.verify(user?.disabled === 0 ? (user.hash ?? undefined) : undefined, proof.password);
    if (!right || user === undefined) return this.failed(user, origin);
    const outcome = await context.ledger.write(async (tx) => {
      // The password may have been changed, or the user disabled, while it was worked out.
      const now = await userByKey(tx.db, nameKey);
      if (now?.hash !== user.hash || now.disabled !== 0) return 'failed';
      // Only who knows it is told that it is too old.
      if (hasExpired(now, context.clock.now())) return 'expired';
      const withCode = await totpOn(tx.db, user.id);
      if (withCode && proof.code === '') return 'code required';
      if (withCode && !(await codes.use(tx, user.id, proof.code))) return 'failed';
      if (previous !== undefined) await signIns.endSecretIn(tx, previous, 'signed in anew');
      return signIns.begin(tx, user, withCode ? 'password and code' : 'password', origin);
    });
    if (outcome === 'failed') return this.failed(user, origin);
    throttle.succeeded(attempt);
    if (outcome === 'expired') throw new CurfewError('ONE_TIME_PASSWORD_EXPIRED');
    if (outcome === 'code required') throw new CurfewError('TOTP_CODE_REQUIRED');
    return outcome.secret;
  }

  /** Proves anew who the caller is. Errors: PASSWORD_NOT_SET, PASSWORD_WRONG, TOTP_CODE_REQUIRED, TOTP_CODE_WRONG. */
  async renew(caller: Caller, password: string, code: string): Promise<void> {
    const { context, passwords, codes, signIns, throttle } = this.parts;
    await passwords.prove(caller, password);
    // Whoever knows the password can still guess at codes.
    const attempt = { nameKey: `${caller.userId} ${caller.tokenId} code`, peer: `${caller.tokenId}:0`, known: false };
    throttle.attempt(attempt);
    await context.ledger.write(async (tx) => {
      if (await totpOn(tx.db, caller.userId)) {
        if (code === '') throw new CurfewError('TOTP_CODE_REQUIRED');
        if (!(await codes.use(tx, caller.userId, code))) throw new CurfewError('TOTP_CODE_WRONG');
      }
      await signIns.renew(tx, caller);
    });
    throttle.succeeded(attempt);
  }

  private async failed(user: LocalUser | undefined, origin: SignInOrigin): Promise<never> {
    const { context, throttle } = this.parts;
    // People type passwords where names go: a name that is none is not kept.
    const subject = user?.id ?? 'nobody';
    const address = origin.peer.replace(/:\d+$/, '');
    if (throttle.mayAudit())
      await context.ledger.write((tx: LedgerTransaction) => {
        tx.audit({ type: 'sign_in.failed', actor: { kind: 'server' }, subject, data: { address } });
        return Promise.resolve();
      });
    throw new CurfewError('SIGN_IN_FAILED');
  }
}

async function lookUp(
  db: LedgerReader,
  nameKey: string,
  { peer }: SignInOrigin,
): Promise<{ readonly user: LocalUser | undefined; readonly known: boolean }> {
  const user = await userByKey(db, nameKey);
  const before = await db
    .selectFrom('sign_in')
    .select('id')
    .where('user_id', '=', user?.id ?? '')
    .where('address', '=', peer.replace(/:\d+$/, ''))
    .limit(1)
    .executeTakeFirst();
  return { user, known: before !== undefined };
}

const userByKey = (db: LedgerReader, nameKey: string): Promise<LocalUser | undefined> =>
  db
    .selectFrom('app_user as u')
    .leftJoin('user_password as p', 'p.user_id', 'u.id')
    .select(['u.id', 'u.name', 'u.disabled', 'p.hash', 'p.expires_at_ms'])
    .where('u.name_key', '=', nameKey)
    .executeTakeFirst();
