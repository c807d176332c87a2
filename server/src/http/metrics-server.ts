import { CurfewError, type Clock, type Logger, type Random } from '@curfew/shared';
import { createHash, timingSafeEqual } from 'node:crypto';
import type { MetricsConfig } from '../config/metrics-config.js';
import type { Prometheus } from '../metrics/prometheus.js';
import { bearerToken } from '../rpc/credentials.js';
import { REQUEST_ID_HEADER, requestIdOf } from '../rpc/request-id.js';
import { shownError } from '../rpc/status-mapping.js';
import { isAllowedHost } from './allowed-hosts.js';
import type { Routes } from './auth-routes.js';
import { HttpExchange } from './http-exchange.js';
import { HttpListener, type TlsFiles } from './http-listener.js';

export interface MetricsServerParts {
  readonly config: MetricsConfig;
  readonly prometheus: Pick<Prometheus, 'text' | 'contentType'>;
  /** What probes may ask here as well. */
  readonly health: Routes;
  /** The names by which it may be called; addresses of its own are always among them. */
  readonly names: ReadonlySet<string>;
  /** Undefined on loopback. */
  readonly tls: () => Promise<TlsFiles | undefined>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** /metrics, listening. */
export interface MetricsServer {
  readonly port: number;
  /** Takes a new certificate. */
  rotate(): Promise<void>;
  close(): Promise<void>;
}

/** How many connections may be open on which nobody has shown the token. */
const UNKNOWN_CONNECTIONS = 50;

/** Starts to listen. Errors: those of the operating system. */
export async function startMetrics(parts: MetricsServerParts): Promise<MetricsServer> {
  const { config, clock, logger, random } = parts;
  const listener = new HttpListener({
    handle: (request, response) => {
      const path = (request.url ?? '').split('?')[0] ?? '';
      const requestId = requestIdOf(request.headers[REQUEST_ID_HEADER], random);
      const exchange = new HttpExchange(request, response, path, new URLSearchParams(), '', requestId);
      answer(parts, exchange, () => {
        listener.identified(exchange.connection);
      }).catch((error: unknown) => {
        exchange.fail(shownError(error, { method: `GET ${path}`, requestId }, logger));
      });
    },
    tls: await parts.tls(),
    unknownConnections: UNKNOWN_CONNECTIONS,
    clock,
    logger,
  });
  const port = await listener.listen(config.host, config.port);
  return {
    port,
    rotate: async () => {
      const fresh = await parts.tls();
      if (fresh !== undefined) listener.rotate(fresh);
    },
    close: () => listener.close(),
  };
}

/** Errors: HOST_NOT_ALLOWED, HTTP_INVALID, PAGE_NOT_FOUND, NOT_SIGNED_IN. */
async function answer(parts: MetricsServerParts, exchange: HttpExchange, known: () => void): Promise<void> {
  const { config, prometheus, health, names } = parts;
  const { request, response, path } = exchange;
  response.setHeader('cache-control', 'no-store');
  response.setHeader('x-content-type-options', 'nosniff');
  const host = request.headers.host;
  // A page in a browser on this machine must not get here by a name of its own.
  if (!isAllowedHost(host, names, request.socket.localAddress))
    throw new CurfewError('HOST_NOT_ALLOWED', { host: (host ?? '').slice(0, 100) });
  if (request.method !== 'GET' && request.method !== 'HEAD')
    throw new CurfewError('HTTP_INVALID', { problem: 'not with this method', status: 405 });
  const route = Object.hasOwn(health, `GET ${path}`) ? health[`GET ${path}`] : undefined;
  if (route !== undefined) return route(exchange);
  if (path !== '/metrics') throw new CurfewError('PAGE_NOT_FOUND');
  if (config.token !== undefined && !isSame(bearerToken(exchange.header('authorization')), config.token))
    throw new CurfewError('NOT_SIGNED_IN');
  known();
  exchange.send(200, prometheus.contentType, await prometheus.text());
}

/** Whether the texts are the same, in a time that does not tell how much of them is. */
function isSame(given: string | undefined, wanted: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return given !== undefined && timingSafeEqual(hash(given), hash(wanted));
}
