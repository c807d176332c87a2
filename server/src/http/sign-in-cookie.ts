import { cookieName } from './cookies.js';
import type { HttpExchange } from './http-exchange.js';

const NAME = 'curfew';

/** The secret of the sign-in that a browser has; undefined without one. */
export const signInSecret = (exchange: HttpExchange): string | undefined =>
  exchange.cookie(cookieName(NAME, exchange.secure));

/** Gives the browser a new sign-in. No other site can have the browser send it, in whatever way. */
export function setSignIn(exchange: HttpExchange, secret: string, limitMs: number): void {
  exchange.setCookie(cookieName(NAME, exchange.secure), secret, 'Strict', limitMs);
}

export function clearSignIn(exchange: HttpExchange): void {
  exchange.setCookie(cookieName(NAME, exchange.secure), '', 'Strict', 0);
}
