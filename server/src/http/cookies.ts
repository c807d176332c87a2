/** The value of a cookie; undefined when it is not there, or there twice: somebody may have put one before ours. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  const found = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  const [value] = found;
  return found.length === 1 && value !== undefined && /^[\w.-]{1,4096}$/.test(value) ? value : undefined;
}

export interface CookieRules {
  readonly secure: boolean;
  readonly sameSite: 'Strict' | 'Lax';
  /** 0 takes the cookie away. */
  readonly maxAgeSeconds: number;
}

/** A cookie that no script can read and no other host can set or see, where there is TLS. */
export function writeCookie(name: string, value: string, { secure, sameSite, maxAgeSeconds }: CookieRules): string {
  const rules = [`${name}=${value}`, 'Path=/', `Max-Age=${maxAgeSeconds}`, 'HttpOnly', `SameSite=${sameSite}`];
  return [...rules, ...(secure ? ['Secure'] : [])].join('; ');
}

/** The name of our cookie: with TLS one that browsers take from this very host alone (RFC 6265bis, section 4.1.3.2). */
export const cookieName = (name: string, secure: boolean): string => (secure ? `__Host-${name}` : name);
