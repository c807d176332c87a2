import { CurfewError, type Logger } from '@curfew/shared';
import { createRemoteJWKSet, customFetch as joseFetch, jwtVerify, type JWTPayload } from 'jose';
import * as oidc from 'openid-client';
import type { OidcConfig } from '../../config/oidc-config.js';
import { boundedFetch } from './bounded-fetch.js';

/** Seconds that a provider has for an answer. */
const TIMEOUT_SECONDS = 10;
const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** Signatures that only the provider can make: nothing that a shared secret could. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** What a token endpoint says of a grant that is over. */
const OVER = ['invalid_grant', 'access_denied'];

/** What must come back unchanged between the way there and the way back. */
export interface OidcChecks {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** Whether the person had to prove who they are, whatever the provider remembered. */
  readonly fresh: boolean;
}

/** What a provider says about a person. */
export interface OidcPerson {
  readonly issuer: string;
  readonly subject: string;
  readonly name: string;
  readonly displayName: string;
  /** Undefined when nothing was said. */
  readonly groups: readonly string[] | undefined;
}

/** What is used of a token endpoint's answer. */
interface TokenAnswer {
  readonly access_token: string;
  readonly refresh_token?: string | undefined;
  readonly id_token?: string | undefined;
  claims(): oidc.IDToken | undefined;
}

export interface OidcOutcome {
  readonly person: OidcPerson;
  readonly sid: string | undefined;
  readonly refreshToken: string | undefined;
  /** As it came: says at sign-out whose session it is. */
  readonly idToken: string | undefined;
  /** When the person proved who they are, there; undefined when it does not say. */
  readonly authTimeMs: number | undefined;
}

/** The OpenID Connect provider: the only file that talks to it. */
export class OidcProvider {
  private known: Promise<oidc.Configuration> | undefined;
  private keys: ReturnType<typeof createRemoteJWKSet> | undefined;

  constructor(
    private readonly config: OidcConfig,
    private readonly logger: Logger,
  ) {}

  /** The issuer as it calls itself. Errors: OIDC_UNREACHABLE. */
  async issuer(): Promise<string> {
    return (await this.provider()).serverMetadata().issuer;
  }

  /** Where to send the browser. Errors: OIDC_UNREACHABLE. */
  async startUrl(redirectUri: string, checks: OidcChecks): Promise<URL> {
    const provider = await this.provider();
    const again = { prompt: 'login', max_age: '0' };
    return oidc.buildAuthorizationUrl(provider, {
      redirect_uri: redirectUri,
      scope: this.config.scopes.join(' '),
      state: checks.state,
      nonce: checks.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(checks.verifier),
      code_challenge_method: 'S256',
      ...(checks.fresh ? again : {}),
    });
  }

  /** Who came back with this address. Errors: OIDC_REFUSED, OIDC_UNREACHABLE. */
  async finish(currentUrl: URL, checks: OidcChecks): Promise<OidcOutcome> {
    const provider = await this.provider();
    try {
      const tokens = await oidc.authorizationCodeGrant(provider, currentUrl, {
        expectedState: checks.state,
        expectedNonce: checks.nonce,
        pkceCodeVerifier: checks.verifier,
        idTokenExpected: true,
        ...(checks.fresh ? { maxAge: 60 } : {}),
      });
      return await this.outcome(provider, tokens, undefined);
    } catch (error) {
      throw this.refused(error);
    }
  }

  /**
   * Asks again about somebody who is signed in. Undefined when the provider does not know them any more. `keep` is given
   * the token that comes in the place of the old one, which may be worth nothing from then on, before more is asked.
   * Errors: OIDC_UNREACHABLE, those of `keep`.
   */
  async refresh(
    refreshToken: string,
    subject: string,
    keep: (refreshToken: string) => Promise<void>,
  ): Promise<OidcOutcome | undefined> {
    const provider = await this.provider();
    const tokens = await this.refreshed(provider, refreshToken);
    if (tokens === undefined) return undefined;
    if (tokens.refresh_token !== undefined) await keep(tokens.refresh_token);
    try {
      return await this.outcome(provider, tokens, subject);
    } catch (error) {
      // The tokens are somebody else's, or the provider refuses one that it has just given: both mean that they are out.
      if (error instanceof CurfewError && error.code === 'OIDC_REFUSED') return undefined;
      if (error instanceof oidc.WWWAuthenticateChallengeError && error.status === 401) return undefined;
      throw this.refused(error, 'OIDC_UNREACHABLE');
    }
  }

  /**
   * Where to send a browser that has signed out here, so that it signs out there as well (OpenID Connect RP-Initiated
   * Logout 1.0, section 2). Undefined when the provider names no such place, or one that is less safe than itself.
   * Errors: OIDC_UNREACHABLE.
   */
  async signOutUrl(idToken: string | undefined, returnTo: string): Promise<URL | undefined> {
    const provider = await this.provider();
    const { end_session_endpoint } = provider.serverMetadata();
    if (end_session_endpoint === undefined || !URL.canParse(end_session_endpoint)) return undefined;
    if (!['https:', this.config.issuer.protocol].includes(new URL(end_session_endpoint).protocol)) return undefined;
    return oidc.buildEndSessionUrl(provider, {
      post_logout_redirect_uri: returnTo,
      ...(idToken === undefined ? {} : { id_token_hint: idToken }),
    });
  }

  /**
   * Whose sign-ins a logout token ends (OpenID Connect Back-Channel Logout 1.0, section 2.6).
   * Errors: LOGOUT_TOKEN_INVALID, OIDC_UNREACHABLE.
   */
  async verifyLogoutToken(token: string): Promise<{ readonly subject?: string; readonly sid?: string }> {
    const { issuer, jwks_uri } = (await this.provider()).serverMetadata();
    if (jwks_uri === undefined) throw new CurfewError('LOGOUT_TOKEN_INVALID');
    this.keys ??= createRemoteJWKSet(new URL(jwks_uri), {
      [joseFetch]: boundedFetch,
      timeoutDuration: TIMEOUT_SECONDS * 1000,
    });
    let payload: JWTPayload;
    try {
      const verified = await jwtVerify(token, this.keys, {
        issuer,
        audience: this.config.clientId,
        algorithms: ALGORITHMS,
        requiredClaims: ['iat', 'exp', 'jti'],
        maxTokenAge: '5m',
        clockTolerance: '30s',
      });
      const { typ } = verified.protectedHeader;
      if (typ !== undefined && !['logout+jwt', 'JWT'].includes(typ)) throw new Error(`typ is ${typ}`);
      payload = verified.payload;
    } catch (error) {
      this.logger.warn('a logout token was refused', { error });
      throw new CurfewError('LOGOUT_TOKEN_INVALID');
    }
    const { sub, sid, events } = payload;
    const subject = text(sub);
    const session = text(sid);
    if (!isLogoutEvent(events) || 'nonce' in payload || (subject === undefined && session === undefined))
      throw new CurfewError('LOGOUT_TOKEN_INVALID');
    return { ...(subject === undefined ? {} : { subject }), ...(session === undefined ? {} : { sid: session }) };
  }

  /** Undefined when the grant is over. What the token endpoint has against this server says nothing about the person. */
  private async refreshed(provider: oidc.Configuration, refreshToken: string): Promise<TokenAnswer | undefined> {
    try {
      return await oidc.refreshTokenGrant(provider, refreshToken);
    } catch (error) {
      if (await isOver(error)) return undefined;
      throw this.refused(error, 'OIDC_UNREACHABLE');
    }
  }

  private async outcome(
    provider: oidc.Configuration,
    tokens: TokenAnswer,
    knownSubject: string | undefined,
  ): Promise<OidcOutcome> {
    const claims = tokens.claims();
    const subject = claims?.sub ?? knownSubject;
    if (subject === undefined || (knownSubject !== undefined && subject !== knownSubject))
      throw new CurfewError('OIDC_REFUSED');
    const { userinfo_endpoint } = provider.serverMetadata();
    const more: Readonly<Record<string, unknown>> =
      userinfo_endpoint === undefined ? {} : await oidc.fetchUserInfo(provider, tokens.access_token, subject);
    const said = new Map<string, unknown>([...Object.entries(more), ...Object.entries(claims ?? {})]);
    return {
      person: {
        issuer: provider.serverMetadata().issuer,
        subject,
        name: text(said.get('preferred_username')) ?? text(said.get('email'))?.split('@')[0] ?? 'oidc',
        displayName: text(said.get('name')) ?? '',
        groups: groupsOf(said.get(this.config.groupsClaim)),
      },
      sid: text(claims?.['sid']),
      refreshToken: tokens.refresh_token,
      idToken: tokens.id_token,
      authTimeMs: claims?.auth_time === undefined ? undefined : claims.auth_time * 1000,
    };
  }

  /** Found at the first use, and looked for again after a failure. */
  private async provider(): Promise<oidc.Configuration> {
    this.known ??= this.discover();
    try {
      return await this.known;
    } catch (error) {
      this.known = undefined;
      throw this.refused(error, 'OIDC_UNREACHABLE');
    }
  }

  private discover(): Promise<oidc.Configuration> {
    const { issuer, clientId, clientSecret } = this.config;
    const authentication = clientSecret === undefined ? oidc.None() : oidc.ClientSecretBasic(clientSecret);
    const execute = [oidc.enableNonRepudiationChecks];
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so to be noticed; the issuer is on this machine
    if (issuer.protocol === 'http:') execute.push(oidc.allowInsecureRequests);
    return oidc.discovery(issuer, clientId, undefined, authentication, {
      execute,
      timeout: TIMEOUT_SECONDS,
      [oidc.customFetch]: boundedFetch,
    });
  }

  private refused(error: unknown, code: 'OIDC_REFUSED' | 'OIDC_UNREACHABLE' = 'OIDC_REFUSED'): CurfewError {
    if (error instanceof CurfewError) return error;
    this.logger.warn('the OIDC provider was not of use', { error });
    return new CurfewError(code);
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** A list of names, or one name; what is none is left out. */
function groupsOf(claim: unknown): string[] | undefined {
  if (claim === undefined) return undefined;
  const names = (Array.isArray(claim) ? claim : [claim]) as unknown[];
  return names
    .filter((name): name is string => typeof name === 'string' && name !== '' && name.length <= 100)
    .slice(0, 200);
}

function isLogoutEvent(events: unknown): boolean {
  const event =
    typeof events === 'object' && events !== null ? (events as Record<string, unknown>)[LOGOUT_EVENT] : null;
  return typeof event === 'object' && event !== null;
}

/** Whether a token endpoint says that the grant is over (RFC 6749, section 5.2), with a challenge beside it or without. */
async function isOver(error: unknown): Promise<boolean> {
  if (error instanceof oidc.ResponseBodyError) return OVER.includes(error.error);
  if (!(error instanceof oidc.WWWAuthenticateChallengeError)) return false;
  try {
    const said = (await error.response.json()) as { readonly error?: unknown } | null;
    return OVER.some((over) => over === said?.error);
  } catch {
    return false;
  }
}
