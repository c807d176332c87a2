import { CurfewError, type Logger, type Random } from '@curfew/shared';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HookRoute } from '../notifiers/hook-routes.js';
import { REQUEST_ID_HEADER, requestIdOf } from '../rpc/request-id.js';
import { shownError } from '../rpc/status-mapping.js';
import { isAllowedHost } from './allowed-hosts.js';
import type { Routes } from './auth-routes.js';
import type { ConsoleFiles } from './console-files.js';
import { HttpExchange } from './http-exchange.js';
import { answerHook, findHook } from './hook-requests.js';
import type { JsonApi } from './json-api.js';
import { securityHeaders } from './security-headers.js';
import type { TrustedProxies } from './trusted-proxies.js';

export interface HttpDoorParts {
  readonly api: JsonApi;
  readonly routes: Routes;
  readonly files: ConsoleFiles;
  readonly hooks: readonly HookRoute[];
  readonly names: ReadonlySet<string>;
  readonly publicUrl: string | undefined;
  readonly proxies: TrustedProxies;
  readonly tls: boolean;
  readonly logger: Logger;
  readonly random: Random;
}

/** Answers every HTTP request: the JSON API, signing in, the console's files. */
export class HttpDoor {
  private readonly headers: Map<string, string>;

  constructor(private readonly parts: HttpDoorParts) {
    const secure = parts.tls || parts.publicUrl?.startsWith('https:') === true;
    this.headers = new Map(Object.entries(securityHeaders(secure)));
  }

  /** Never throws and never leaves a request without an answer. */
  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    response.setHeaders(this.headers);
    const { publicUrl, tls, proxies } = this.parts;
    const host = request.headers.host;
    const [path, query] = splitTarget(request.url ?? '');
    const ownOrigin = publicUrl ?? `${tls ? 'https' : 'http'}://${host ?? ''}`;
    const requestId = requestIdOf(request.headers[REQUEST_ID_HEADER], this.parts.random);
    const asked = new URLSearchParams(query);
    const exchange = new HttpExchange(request, response, path, asked, ownOrigin, requestId, proxies);
    this.route(exchange).catch((error: unknown) => {
      const method = `${request.method ?? ''} ${path}`;
      exchange.fail(shownError(error, { method, requestId }, this.parts.logger));
    });
  };

  private async route(exchange: HttpExchange): Promise<void> {
    const { api, routes, hooks, files, names } = this.parts;
    const { request, response, path } = exchange;
    const host = request.headers.host;
    if (!isAllowedHost(host, names, request.socket.localAddress))
      throw new CurfewError('HOST_NOT_ALLOWED', { host: (host ?? '').slice(0, 100) });
    if (!path.startsWith('/')) throw new CurfewError('HTTP_INVALID', { problem: 'the target is no path' });
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '');
    const moving = path.startsWith('/api/') || path.startsWith('/auth/');
    if (moving) response.setHeader('cache-control', 'no-store');
    const route = Object.hasOwn(routes, `${method} ${path}`) ? routes[`${method} ${path}`] : undefined;
    const hook = method === 'POST' ? findHook(hooks, path) : undefined;
    if (route !== undefined) await route(exchange);
    else if (hook !== undefined) await answerHook(exchange, hook);
    else if (path.startsWith('/api/') && method === 'POST') await api.answer(exchange);
    else if (method !== 'GET') throw new CurfewError('HTTP_INVALID', { problem: 'not with this method', status: 405 });
    else if (!files.answer(exchange)) throw new CurfewError('PAGE_NOT_FOUND');
  }
}

/** Path and query of a request's target. */
function splitTarget(target: string): [string, string] {
  const at = target.indexOf('?');
  return at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
}
