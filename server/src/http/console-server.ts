import { DAY, type Clock, type Logger, type Random } from '@curfew/shared';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import type { HttpConfig } from '../config/http-config.js';
import type { Readiness } from '../health/readiness.js';
import type { CertificateAuthority } from '../pki/certificate-authority.js';
import type { HookRoute } from '../notifiers/hook-routes.js';
import type { CallLimits } from '../rpc/call-limits.js';
import type { RequestRules } from '../rpc/request-rules.js';
import type { ServiceHost } from '../rpc/service-host.js';
import type { SignInParts } from '../sign-in/sign-in-parts.js';
import type { Users } from '../users/users.js';
import { allowedNames } from './allowed-hosts.js';
import { authRoutes } from './auth-routes.js';
import { deviceRoutes } from './device-routes.js';
import { ConsoleFiles } from './console-files.js';
import { healthRoutes } from './health-routes.js';
import { HttpDoor } from './http-door.js';
import { HttpListener, type TlsFiles } from './http-listener.js';
import { JsonApi } from './json-api.js';
import { oidcRoutes } from './oidc-routes.js';
import { signInSecret } from './sign-in-cookie.js';
import { TrustedProxies } from './trusted-proxies.js';

/** Where the build of the console lies in a checkout and in a package. */
const CONSOLE = fileURLToPath(new URL('../../console/dist', import.meta.url));
const CERTIFICATE_LIFE = 90 * DAY;

export interface ConsoleServerParts {
  readonly config: HttpConfig;
  readonly unknownConnections: number;
  readonly readiness: Pick<Readiness, 'problems'>;
  readonly host: ServiceHost;
  readonly rules: RequestRules;
  readonly hooks: readonly HookRoute[];
  readonly signIn: SignInParts;
  readonly users: Users;
  readonly limits: CallLimits;
  readonly ca: CertificateAuthority;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** The console and the JSON API, listening. */
export interface ConsoleServer {
  readonly port: number;
  /** Scheme, host and port as an operator on this machine, or anybody else, finds it. */
  readonly url: string;
  identified(peer: string): void;
  /** Takes a new certificate. */
  rotate(): Promise<void>;
  close(): Promise<void>;
}

/** Starts the HTTP side. Errors: those of the operating system, for the address and the certificate's files. */
export async function startConsole(parts: ConsoleServerParts): Promise<ConsoleServer> {
  const { config, host, rules, signIn, users, limits, clock, random, logger } = parts;
  const identified = (peer: string): void => {
    listener.identified(peer);
  };
  const routes = {
    ...healthRoutes(parts.readiness),
    ...authRoutes({
      ...signIn,
      users,
      identified,
      oidcLabel: signIn.oidc?.label,
      signOutUrl: signIn.oidc?.signIn.signOutUrl.bind(signIn.oidc.signIn),
    }),
    ...deviceRoutes({ ...signIn, limits, identified }),
    ...oidcRoutes({ ...signIn, limits, logger, random }),
  };
  const door = new HttpDoor({
    api: new JsonApi({ host, rules, clock, signInOf: signInSecret }),
    routes,
    hooks: parts.hooks,
    files: new ConsoleFiles(CONSOLE),
    names: allowedNames(config.names, config.publicUrl, ownNames(config)),
    publicUrl: config.publicUrl,
    proxies: new TrustedProxies(config.trustedProxies),
    tls: config.tls,
    logger,
    random,
  });
  const listener = new HttpListener({
    handle: door.handle,
    tls: await tlsFiles(parts),
    unknownConnections: parts.unknownConnections,
    clock,
    logger,
  });
  const port = await listener.listen(config.host, config.port);
  return {
    port,
    url: config.publicUrl ?? `${config.tls ? 'https' : 'http'}://${shownHost(config.host)}:${port}`,
    identified,
    rotate: async () => {
      const fresh = await tlsFiles(parts);
      if (fresh !== undefined) listener.rotate(fresh);
    },
    close: () => listener.close(),
  };
}

/** The address to listen on, and elsewhere than on loopback the host's name. */
export const ownNames = ({ host, tls }: HttpConfig): string[] => [host, ...(tls ? [os.hostname()] : [])];

function shownHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return os.hostname();
  return isIP(host) === 6 ? `[${host}]` : host;
}

/** The certificate to show, from its files or the server's own CA; undefined without TLS. */
export async function tlsFiles({
  config,
  ca,
}: Pick<ConsoleServerParts, 'config' | 'ca'>): Promise<TlsFiles | undefined> {
  if (!config.tls) return undefined;
  if (config.certificate !== undefined)
    return {
      cert: readFileSync(config.certificate.certFile, 'utf8'),
      key: readFileSync(config.certificate.keyFile, 'utf8'),
    };
  const names = allowedNames(config.names, config.publicUrl, ownNames(config));
  const issued = await ca.issueServer([...names], CERTIFICATE_LIFE);
  return { cert: issued.pem + ca.certificate, key: issued.keyPem };
}
