import { CurfewError, MINUTE, type Logger, type Random } from '@curfew/shared';
import type { CallLimits } from '../rpc/call-limits.js';
import { shownError } from '../rpc/status-mapping.js';
import type { OidcChecks, OidcProvider } from '../sign-in/oidc/oidc-provider.js';
import type { OidcSignIn } from '../sign-in/oidc/oidc-sign-in.js';
import type { SecretBox } from '../secrets/secret-box.js';
import type { SignIns } from '../sign-in/sign-ins.js';
import { originOf, type Route, type Routes } from './auth-routes.js';
import { cookieName } from './cookies.js';
import type { HttpExchange } from './http-exchange.js';
import { ownPath } from './own-path.js';
import { setSignIn, signInSecret } from './sign-in-cookie.js';

export interface OidcRouteParts {
  readonly oidc: { readonly provider: OidcProvider; readonly signIn: OidcSignIn } | undefined;
  readonly signIns: SignIns;
  readonly secrets: SecretBox;
  readonly limits: CallLimits;
  readonly logger: Logger;
  readonly random: Random;
}

/** What the browser carries, sealed, from the way there to the way back. */
interface Journey extends OidcChecks {
  readonly next: string;
  /** The sign-in that the new one takes the place of. */
  readonly previous: string | undefined;
}

const COOKIE = 'curfew-oidc';
const SEAL = 'oidc journey';
const JOURNEY_MS = 10 * MINUTE;

/** Signing in at a provider: there, back, and when the provider says that somebody is out. */
export function oidcRoutes(parts: OidcRouteParts): Routes {
  return {
    'GET /auth/oidc/start': (exchange) => start(parts, exchange),
    'GET /auth/oidc/callback': (exchange) => callback(parts, exchange),
    'POST /auth/oidc/backchannel-logout': backChannelLogout(parts),
  };
}

function configured({ oidc }: OidcRouteParts): NonNullable<OidcRouteParts['oidc']> {
  if (oidc === undefined) throw new CurfewError('OIDC_NOT_CONFIGURED');
  return oidc;
}

const redirectUri = ({ ownOrigin }: HttpExchange): string => `${ownOrigin}/auth/oidc/callback`;

async function start(parts: OidcRouteParts, exchange: HttpExchange): Promise<void> {
  const next = ownPath(exchange.query.get('next') ?? undefined, exchange.ownOrigin);
  try {
    await setOut(parts, exchange, next);
  } catch (error) {
    land(parts, exchange, error, next);
  }
}

async function setOut(parts: OidcRouteParts, exchange: HttpExchange, next: string): Promise<void> {
  const { provider } = configured(parts);
  const random = (): string => parts.random.bytes(32).toString('base64url');
  const journey: Journey = {
    state: random(),
    nonce: random(),
    verifier: random(),
    fresh: exchange.query.get('fresh') === '1',
    next,
    previous: signInSecret(exchange),
  };
  const url = await provider.startUrl(redirectUri(exchange), journey);
  const sealed = parts.secrets.seal(JSON.stringify(journey), SEAL);
  // Lax: the provider sends the browser back from another site.
  exchange.setCookie(cookieName(COOKIE, exchange.secure), sealed, 'Lax', JOURNEY_MS);
  exchange.redirect(url.href);
}

async function callback(parts: OidcRouteParts, exchange: HttpExchange): Promise<void> {
  const journey = readJourney(parts, exchange);
  const next = ownPath(journey?.next, exchange.ownOrigin);
  try {
    const { provider, signIn } = configured(parts);
    exchange.setCookie(cookieName(COOKIE, exchange.secure), '', 'Lax', 0);
    if (journey === undefined) throw new CurfewError('OIDC_REFUSED');
    const outcome = await provider.finish(new URL(`${redirectUri(exchange)}?${exchange.query.toString()}`), journey);
    const secret = await signIn.signIn(outcome, originOf(exchange), journey.previous);
    setSignIn(exchange, secret, parts.signIns.limitMs);
    exchange.redirect(next);
  } catch (error) {
    land(parts, exchange, error, next);
  }
}

/** Whatever went wrong, the person lands on the sign-in page, which says it and goes on to `next` afterwards. */
function land({ logger }: OidcRouteParts, exchange: HttpExchange, error: unknown, next: string): void {
  const { code } = shownError(error, { method: `GET ${exchange.path}`, requestId: exchange.requestId }, logger);
  const wanted = next === '/' ? '' : `&next=${encodeURIComponent(next)}`;
  exchange.redirect(`/sign-in?error=${code}${wanted}`);
}

function readJourney({ secrets }: OidcRouteParts, exchange: HttpExchange): Journey | undefined {
  const cookie = exchange.cookie(cookieName(COOKIE, exchange.secure));
  if (cookie === undefined) return undefined;
  try {
    return JSON.parse(secrets.unseal(cookie, SEAL)) as Journey;
  } catch {
    return undefined;
  }
}

function backChannelLogout(parts: OidcRouteParts): Route {
  return async (exchange) => {
    const { signIn } = configured(parts);
    try {
      const form = new URLSearchParams(await exchange.text());
      const tokens = form.getAll('logout_token');
      const [token] = tokens;
      if (token === undefined || tokens.length !== 1) throw new CurfewError('LOGOUT_TOKEN_INVALID');
      await signIn.backChannelLogout(token);
    } catch (error) {
      if (error instanceof CurfewError && error.code === 'LOGOUT_TOKEN_INVALID')
        parts.limits.countAnybody(exchange.peer);
      throw error;
    }
    exchange.empty(200);
  };
}
