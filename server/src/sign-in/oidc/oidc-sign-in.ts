import { CurfewError, isRetryable, MINUTE, type Logger } from '@curfew/shared';
import type { Updateable } from 'kysely';
import type { OidcConfig } from '../../config/oidc-config.js';
import type { LedgerTransaction } from '../../ledger/ledger.js';
import type { Tables } from '../../ledger/tables.js';
import type { UseCaseContext } from '../../use-case-context.js';
import { endSignIns } from '../end-sign-ins.js';
import type { SecretBox } from '../../secrets/secret-box.js';
import { revokeTokens } from '../../users/revoke-tokens.js';
import type { EndedSignIn, SignInOrigin, SignIns } from '../sign-ins.js';
import type { OidcOutcome, OidcProvider } from './oidc-provider.js';
import type { OidcUsers } from './oidc-users.js';

/** What the ID token of a sign-in is sealed for. */
const hintOf = (signInId: string): string => `${signInId} id token`;

/** How many are asked about in one go. */
const AT_ONCE = 200;
/** When somebody is asked about again of whom the provider has not said anything. */
const ASK_LATER_MS = MINUTE;
/** So many without an answer mean that the provider is not there, and each would wait for it. */
const FAILURES_IN_A_ROW = 3;

export interface OidcSignInParts {
  readonly context: UseCaseContext;
  readonly config: OidcConfig;
  readonly provider: OidcProvider;
  readonly users: OidcUsers;
  readonly signIns: SignIns;
  readonly secrets: SecretBox;
  readonly logger: Logger;
}

interface DueSignIn {
  readonly id: string;
  readonly user_id: string;
  readonly sealed_refresh_token: string | null;
  readonly subject: string;
  readonly issuer: string;
}

/** Signing in at a provider, and staying signed in for as long as the provider knows the person. */
export class OidcSignIn {
  private asking: Promise<void> | undefined;

  constructor(private readonly parts: OidcSignInParts) {}

  /** Signs in whom the provider has let through; gives the secret of the new cookie. Errors: OIDC_REFUSED, USER_DISABLED. */
  signIn(outcome: OidcOutcome, origin: SignInOrigin, previous: string | undefined): Promise<string> {
    const { context, config, users, signIns, secrets } = this.parts;
    const { refreshToken, idToken } = outcome;
    return context.ledger.write(async (tx) => {
      const user = await users.userFor(tx, outcome.person);
      if (previous !== undefined) await signIns.endSecretIn(tx, previous, 'signed in anew');
      const { secret } = await signIns.begin(tx, user, 'oidc', origin, {
        sid: outcome.sid ?? null,
        // A provider that does not say when may have let the person through on something old.
        freshAtMs: Math.min(outcome.authTimeMs ?? 0, context.clock.now()),
        sealedRefreshToken: (id) => (refreshToken === undefined ? null : secrets.seal(refreshToken, id)),
        refreshAtMs: context.clock.now() + config.recheckMs,
        sealedIdToken: (id) => (idToken === undefined ? null : secrets.seal(idToken, hintOf(id))),
      });
      return secret;
    });
  }

  /**
   * Where a browser goes whose sign-in has just ended by its own wish, to sign out at the provider as well; undefined
   * when it need not, or the provider is not there: here the person is out in any case. Never rejects.
   */
  async signOutUrl(ended: EndedSignIn, returnTo: string): Promise<URL | undefined> {
    const { config, provider, secrets, logger } = this.parts;
    if (!config.signOutThere || ended.method !== 'oidc') return undefined;
    try {
      const { sealedIdToken: sealed } = ended;
      return await provider.signOutUrl(
        sealed === null ? undefined : secrets.unseal(sealed, hintOf(ended.id)),
        returnTo,
      );
    } catch (error) {
      logger.warn('nobody could be sent to the OIDC provider to sign out', { error });
      return undefined;
    }
  }

  /** Ends the sign-ins that a logout token names. Errors: LOGOUT_TOKEN_INVALID, OIDC_UNREACHABLE. */
  async backChannelLogout(token: string): Promise<void> {
    const { context, provider, users } = this.parts;
    const { subject, sid } = await provider.verifyLogoutToken(token);
    const issuer = await provider.issuer();
    await context.ledger.write(async (tx) => {
      const user = subject === undefined ? undefined : await users.find(tx.db, { issuer, subject });
      if (subject !== undefined && user === undefined) return;
      await endSignIns(tx, {
        method: 'oidc',
        ...(user === undefined ? {} : { userId: user.id }),
        ...(sid === undefined ? {} : { providerSid: sid }),
        now: context.clock.now(),
        actor: { kind: 'server' },
        why: 'provider says so',
      });
    }, 'first');
  }

  /** Asks the provider about everybody for whom it is time. Never twice at once, and never rejects. */
  recheck(): Promise<void> {
    this.asking ??= this.askAll()
      .catch((error: unknown) => {
        this.parts.logger.error('asking the OIDC provider again failed', { error });
      })
      .finally(() => {
        this.asking = undefined;
      });
    return this.asking;
  }

  private async askAll(): Promise<void> {
    const { context } = this.parts;
    const now = context.clock.now();
    const due = await context.ledger.read((db) =>
      db
        .selectFrom('sign_in as s')
        .innerJoin('oidc_identity as o', 'o.user_id', 's.user_id')
        .select(['s.id', 's.user_id', 's.sealed_refresh_token', 'o.subject', 'o.issuer'])
        .where('s.refresh_at_ms', '<=', now)
        .where('s.ended_at_ms', 'is', null)
        .where('s.expires_at_ms', '>', now)
        .orderBy('s.refresh_at_ms')
        .limit(AT_ONCE)
        .execute(),
    );
    let failed = 0;
    for (const one of due) {
      failed = (await this.wasAsked(one)) ? 0 : failed + 1;
      if (failed === FAILURES_IN_A_ROW) return;
    }
  }

  /**
   * False when there was no answer that says anything of the person: they are asked about again later, behind everybody
   * else for whom it is time, and the sign-in's own limits hold.
   */
  private async wasAsked(one: DueSignIn): Promise<boolean> {
    const { context, logger } = this.parts;
    try {
      await this.ask(one);
      return true;
    } catch (error) {
      if (!isRetryable(error)) logger.error('asking the OIDC provider again failed', { error });
      await this.change(one.id, { refresh_at_ms: context.clock.now() + ASK_LATER_MS });
      return false;
    }
  }

  private async ask({ id, user_id, sealed_refresh_token, subject }: DueSignIn): Promise<void> {
    const { context, config, provider, users, secrets } = this.parts;
    if (sealed_refresh_token === null) return;
    const outcome = await provider.refresh(secrets.unseal(sealed_refresh_token, id), subject, (next) =>
      this.change(id, { sealed_refresh_token: secrets.seal(next, id) }),
    );
    await context.ledger.write(async (tx) => {
      const end = { now: context.clock.now(), actor: { kind: 'server' } } as const;
      if (outcome === undefined) {
        await endSignIns(tx, { id, ...end, why: 'provider says so' });
        return;
      }
      const user = await users.byId(tx.db, user_id);
      if (!(await this.stillIn(() => users.follow(tx, user, outcome.person.groups)))) {
        await endSignIns(tx, { id, ...end, why: 'provider says so' });
        // Not a session that has run out there, but a word on the person. Groups that are not named say nothing.
        if (outcome.person.groups !== undefined) await revokeTokens(tx, { userId: user_id, ...end });
        return;
      }
      const { idToken } = outcome;
      const hint = idToken === undefined ? {} : { sealed_id_token: secrets.seal(idToken, hintOf(id)) };
      await changeOpen(tx, id, { ...hint, refresh_at_ms: context.clock.now() + config.recheckMs });
    });
  }

  private change(id: string, to: Updateable<Tables['sign_in']>): Promise<void> {
    return this.parts.context.ledger.write((tx) => changeOpen(tx, id, to));
  }

  private async stillIn(follow: () => Promise<void>): Promise<boolean> {
    try {
      await follow();
      return true;
    } catch (error) {
      if (error instanceof CurfewError && error.code === 'OIDC_REFUSED') return false;
      throw error;
    }
  }
}

/** Changes a sign-in that is open and asked about again. */
async function changeOpen(tx: LedgerTransaction, id: string, to: Updateable<Tables['sign_in']>): Promise<void> {
  await tx.db
    .updateTable('sign_in')
    .set(to)
    .where('id', '=', id)
    .where('ended_at_ms', 'is', null)
    .where('refresh_at_ms', 'is not', null)
    .execute();
}
