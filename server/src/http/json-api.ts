import { CurfewError, durationMs, type Clock } from '@curfew/shared';
import { bearerToken, type Credentials } from '../rpc/credentials.js';
import type { RequestRules } from '../rpc/request-rules.js';
import type { IncomingCall, ServiceHost } from '../rpc/service-host.js';
import { TRACEPARENT_HEADER } from '../tracing/spans.js';
import { refuseCrossSite, isJson } from './cross-site.js';
import type { HttpExchange } from './http-exchange.js';
import { JsonLines } from './json-lines.js';

/** How long a stream may be silent. */
const SIGN_OF_LIFE = durationMs(10_000);

export interface JsonApiParts {
  readonly host: ServiceHost;
  readonly rules: RequestRules;
  readonly clock: Clock;
  /** The secret of a sign-in's cookie, when the browser has one. */
  readonly signInOf: (exchange: HttpExchange) => string | undefined;
}

/** POST /api/<package>.<Service>/<Method>: every method in proto-JSON, through the same door as gRPC. */
export class JsonApi {
  constructor(private readonly parts: JsonApiParts) {}

  async answer(exchange: HttpExchange): Promise<void> {
    const { host, rules } = this.parts;
    const path = exchange.path.slice('/api'.length);
    const { peer, connection, requestId } = exchange;
    const call = { path, peer, connection, requestId, traceparent: exchange.header(TRACEPARENT_HEADER) };
    try {
      const credentials = this.credentials(exchange);
      const kind = host.kindOf(path);
      if (kind === undefined) throw new CurfewError('PAGE_NOT_FOUND');
      host.assertRoom(call);
      const text = await exchange.text();
      const incoming: IncomingCall = {
        ...call,
        credentials,
        request: () => rules.checkJson(path, text.trim() === '' ? '{}' : text),
      };
      if (kind === 'stream') await this.stream(exchange, incoming);
      else if (kind === 'unary') exchange.json(200, rules.answerToJson(path, await host.invoke(incoming)));
      // What is a stream both ways is for devices alone, and none can be one here.
      else await host.identify(incoming).then(() => Promise.reject(new CurfewError('PAGE_NOT_FOUND')));
    } catch (error) {
      exchange.fail(host.refusal(call, error));
    }
  }

  /** Errors: CROSS_SITE, HTTP_INVALID. */
  private credentials(exchange: HttpExchange): Credentials {
    const authorization = exchange.header('authorization');
    const signIn = authorization === undefined ? this.parts.signInOf(exchange) : undefined;
    const contentType = exchange.header('content-type');
    const headers = {
      origin: exchange.header('origin'),
      fetchSite: exchange.header('sec-fetch-site'),
      curfew: exchange.header('x-curfew'),
      contentType,
    };
    if (signIn !== undefined) refuseCrossSite(headers, exchange.ownOrigin, true);
    if (!isJson(contentType))
      throw new CurfewError('HTTP_INVALID', { problem: 'the content-type must be application/json', status: 415 });
    return { token: bearerToken(authorization), signIn };
  }

  private async stream(exchange: HttpExchange, call: IncomingCall): Promise<void> {
    const { host, rules, clock } = this.parts;
    const lines = new JsonLines(exchange.response, clock, SIGN_OF_LIFE);
    try {
      await host.watch(call, {
        send: (answer) => lines.write(rules.answerToJson(call.path, answer)),
        gone: lines.gone,
      });
      lines.end();
    } catch (error) {
      const shown = host.refusal(call, error);
      if (lines.begun) lines.end(shown);
      else exchange.fail(shown);
    } finally {
      lines.close();
    }
  }
}
