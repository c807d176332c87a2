import { CurfewError } from '@curfew/shared';
import { isIP } from 'node:net';
import type { OptionName } from './options.js';

/** Reads options whose texts are valid. */
export interface OptionReader {
  readonly text: (name: OptionName) => string;
  readonly ms: (name: OptionName) => number;
  readonly list: (name: OptionName) => readonly string[];
}

/** Where and how the console and the JSON API are served. */
export interface HttpConfig {
  readonly host: string;
  readonly port: number;
  readonly names: readonly string[];
  /** Scheme, host and port; undefined means as it is called. */
  readonly publicUrl: string | undefined;
  /** Addresses and networks of proxies that are believed when they say whom they speak for. */
  readonly trustedProxies: readonly string[];
  readonly tls: boolean;
  /** Files of a certificate and its key; undefined means one of the server's own CA. */
  readonly certificate: { readonly certFile: string; readonly keyFile: string } | undefined;
}

/** How long sign-ins to the console last, in milliseconds. */
export interface SignInConfig {
  readonly idleMs: number;
  readonly limitMs: number;
  readonly freshMs: number;
  /** Of the API token of a command line. */
  readonly toolMs: number;
  /** Of a one-time password that an admin gives. */
  readonly oneTimePasswordMs: number;
}

/** Whether an address to listen on is this machine's own alone. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

/** Errors: CONFIG_INVALID when a certificate has no key, or the other way round. */
export function httpConfig({ text, list }: OptionReader): HttpConfig {
  const [certFile, keyFile, host] = [text('http.certificate'), text('http.key'), text('http.host')];
  if ((certFile === '') !== (keyFile === ''))
    throw new CurfewError('CONFIG_INVALID', {
      problems: 'http.certificate and http.key: one is nothing without the other',
    });
  return Object.freeze({
    host,
    port: Number(text('http.port')),
    names: list('http.names'),
    publicUrl: text('http.public_url') === '' ? undefined : text('http.public_url'),
    trustedProxies: list('http.trusted_proxies'),
    tls: text('http.tls') === 'on' || !isLoopback(host),
    certificate: certFile === '' ? undefined : { certFile, keyFile },
  });
}

export function signInConfig({ ms }: OptionReader): SignInConfig {
  return Object.freeze({
    idleMs: ms('sign_in.idle_limit'),
    limitMs: ms('sign_in.limit'),
    freshMs: ms('sign_in.fresh_for'),
    toolMs: ms('sign_in.tool_limit'),
    oneTimePasswordMs: ms('sign_in.one_time_password_life'),
  });
}
