import { InvalidArgumentError } from 'commander';

/** The console's address where nothing says otherwise: plain on this machine, TLS elsewhere, port 7080. */
export function consoleOf(server: string): string {
  const host = server.replace(/:\d+$/, '');
  const here = ['localhost', '[::1]'].includes(host) || /^127(\.\d{1,3}){3}$/.test(host);
  return `${here ? 'http' : 'https'}://${host}:7080`;
}

/** Reads a flag that is the console's address: scheme, host and port, by which no secret goes in the clear. */
export function consoleFlag(typed: string): string {
  const origin = originOf(typed);
  if (origin !== undefined) return origin;
  throw new InvalidArgumentError('Write it like https://curfew.example.org:7080; http is for this machine alone.');
}

/** Reads a flag that is a one-time or recovery code. */
export function codeFlag(text: string): string {
  if (/^[0-9A-Za-z -]{6,64}$/.test(text)) return text.trim();
  throw new InvalidArgumentError('Write the 6 digits that the authenticator shows, or a recovery code.');
}

/** Reads a flag that is a user's name. */
export function userNameFlag(text: string): string {
  if (/^\S{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError('Write the name of a user: at most 64 characters, no spaces.');
}

/** Undefined when it is no origin, or would send secrets in the clear. */
function originOf(typed: string): string | undefined {
  if (!URL.canParse(typed)) return undefined;
  const { protocol, origin, hostname, pathname, search } = new URL(typed);
  const here = ['localhost', '[::1]'].includes(hostname) || /^127(\.\d{1,3}){3}$/.test(hostname);
  if (protocol !== 'https:' && !(protocol === 'http:' && here)) return undefined;
  return pathname === '/' && search === '' ? origin : undefined;
}
