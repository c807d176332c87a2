import { CurfewError, type InstantMs } from '@curfew/shared';
import type { LocalSignIn } from '../sign-in/local-sign-in.js';
import type { EndedSignIn, SignInOrigin, SignIns } from '../sign-in/sign-ins.js';
import type { Caller } from '../users/caller.js';
import type { Users } from '../users/users.js';
import { refuseCrossSite } from './cross-site.js';
import type { HttpExchange } from './http-exchange.js';
import { readFields } from './json-fields.js';
import { clearSignIn, setSignIn, signInSecret } from './sign-in-cookie.js';

export type Route = (exchange: HttpExchange) => Promise<void>;
/** Routes by method and path, such as 'POST /auth/login'. */
export type Routes = Readonly<Record<string, Route>>;

export interface AuthRouteParts {
  readonly signIns: SignIns;
  readonly local: LocalSignIn;
  readonly users: Users;
  /** Called with the connection of each call whose caller is known. */
  readonly identified: (connection: string) => void;
  /** The text on the button of the provider; undefined when there is none. */
  readonly oidcLabel: string | undefined;
  /** Where to sign out at the provider, after signing out here; undefined when there is no such place. */
  readonly signOutUrl: ((ended: EndedSignIn, returnTo: string) => Promise<URL | undefined>) | undefined;
}

const PASSWORD = { max: 200 };
const CODE = { max: 64, optional: true };

/** Signing in and out of the console with a browser. */
export function authRoutes(parts: AuthRouteParts): Routes {
  const { signIns, local } = parts;
  return {
    'GET /auth/state': async (exchange) => {
      exchange.json(200, await state(parts, await signedIn(parts, exchange, true)));
    },
    'POST /auth/login': async (exchange) => {
      const previous = signInSecret(exchange);
      ownPage(exchange, previous !== undefined);
      const proof = readFields(await exchange.text(), { name: { max: 256 }, password: PASSWORD, code: CODE });
      const secret = await local.signIn(proof, originOf(exchange), previous);
      setSignIn(exchange, secret, signIns.limitMs);
      exchange.json(200, await state(parts, await signIns.authenticate(secret, true)));
    },
    'POST /auth/fresh': async (exchange) => {
      ownPage(exchange, true);
      const caller = required(await signedIn(parts, exchange, false));
      const { password, code } = readFields(await exchange.text(), { password: PASSWORD, code: CODE });
      await local.renew(caller, password, code);
      exchange.json(200, await state(parts, required(await signedIn(parts, exchange, false))));
    },
    'POST /auth/logout': async (exchange) => {
      ownPage(exchange, true);
      const secret = signInSecret(exchange);
      const ended = secret === undefined ? undefined : await signIns.endSecret(secret, 'signed out');
      clearSignIn(exchange);
      const there = ended && (await parts.signOutUrl?.(ended, `${exchange.ownOrigin}/sign-in`));
      if (there === undefined) exchange.empty(204);
      else exchange.json(200, { providerUrl: there.href });
    },
  };
}

/** Refuses what another site has the browser do. Errors: CROSS_SITE. */
export function ownPage(exchange: HttpExchange, withCookie: boolean): void {
  const headers = {
    origin: exchange.header('origin'),
    fetchSite: exchange.header('sec-fetch-site'),
    curfew: exchange.header('x-curfew'),
    contentType: exchange.header('content-type'),
  };
  refuseCrossSite(headers, exchange.ownOrigin, withCookie);
}

export const originOf = (exchange: HttpExchange): SignInOrigin => ({
  peer: exchange.peer,
  userAgent: exchange.header('user-agent') ?? '',
});

/** Who is signed in with this browser; undefined when nobody is. */
export async function signedIn(
  { signIns, identified }: Pick<AuthRouteParts, 'signIns' | 'identified'>,
  exchange: HttpExchange,
  again: boolean,
): Promise<Caller | undefined> {
  const secret = signInSecret(exchange);
  if (secret === undefined) return undefined;
  try {
    const caller = await signIns.authenticate(secret, again);
    identified(exchange.connection);
    return caller;
  } catch (error) {
    if (error instanceof CurfewError && error.code === 'NOT_SIGNED_IN') return undefined;
    throw error;
  }
}

/** Errors: NOT_SIGNED_IN. */
export function required(caller: Caller | undefined): Caller {
  if (caller === undefined) throw new CurfewError('NOT_SIGNED_IN');
  return caller;
}

/** What the console needs to know before it calls anything. */
async function state({ users, signIns, oidcLabel }: AuthRouteParts, caller: Caller | undefined) {
  const methods = { password: true, oidc: oidcLabel === undefined ? null : { label: oidcLabel } };
  if (caller === undefined) return { signedIn: false, methods };
  const user = await users.get(caller.userId);
  const freshUntilMs = ((caller.freshAtMs ?? 0) + signIns.freshMs) as InstantMs;
  return {
    signedIn: true,
    user: { id: user.id, name: user.name, displayName: user.display_name, role: caller.role },
    mustChangePassword: caller.mustChangePassword === true,
    totpEnabled: user.totp_enabled,
    hasPassword: user.has_password,
    freshUntil: new Date(freshUntilMs).toISOString(),
    methods,
  };
}
