import { CurfewError } from '@curfew/shared';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { REQUEST_ID_HEADER } from '../rpc/request-id.js';
import { readCookie, writeCookie } from './cookies.js';
import { errorBody, httpStatus, retryAfter } from './http-status.js';
import { readBody } from './request-body.js';
import type { TrustedProxies } from './trusted-proxies.js';

/** One request and its answer. */
export class HttpExchange {
  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    /** The path alone, as it came. */
    readonly path: string,
    readonly query: URLSearchParams,
    /** Scheme, host and port by which the browser knows us. */
    readonly ownOrigin: string,
    /** What the request is called in every log. */
    readonly requestId: string,
    private readonly proxies?: TrustedProxies,
  ) {
    response.setHeader(REQUEST_ID_HEADER, requestId);
  }

  /** ADDRESS:PORT of the connection. */
  get connection(): string {
    const { remoteAddress, remotePort } = this.request.socket;
    return `${remoteAddress ?? ''}:${remotePort ?? 0}`;
  }

  /** ADDRESS:PORT of who calls: of the connection, or what a trusted proxy says, which is no port. */
  get peer(): string {
    const { remoteAddress = '' } = this.request.socket;
    const behind = this.proxies?.callerBehind(remoteAddress, this.header('x-forwarded-for'));
    return behind === undefined ? this.connection : `${behind}:0`;
  }

  /** Whether browsers reach us by TLS, here or at a proxy in front. */
  get secure(): boolean {
    return this.ownOrigin.startsWith('https:');
  }

  /** A header that was sent once. */
  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return typeof value === 'string' ? value : undefined;
  }

  cookie(name: string): string | undefined {
    return readCookie(this.header('cookie'), name);
  }

  setCookie(name: string, value: string, sameSite: 'Strict' | 'Lax', maxAgeMs: number): void {
    const maxAgeSeconds = Math.floor(maxAgeMs / 1000);
    this.response.appendHeader(
      'set-cookie',
      writeCookie(name, value, { secure: this.secure, sameSite, maxAgeSeconds }),
    );
  }

  /** The body as text. Errors: HTTP_INVALID when it is too long or no UTF-8. */
  text(): Promise<string> {
    return readBody(this.request);
  }

  json(status: number, body: unknown): void {
    this.send(status, 'application/json', JSON.stringify(body));
  }

  empty(status: number): void {
    this.response.writeHead(status).end();
  }

  redirect(target: string): void {
    this.response.writeHead(302, { location: target, 'content-length': '0' }).end();
  }

  /** Answers with an error, if nothing was answered yet. */
  fail(error: CurfewError): void {
    if (this.response.headersSent) {
      this.response.destroy();
      return;
    }
    const wait = retryAfter(error);
    if (wait !== undefined) this.response.setHeader('retry-after', wait);
    // What is left of a body that was refused is not read: the connection ends with the answer.
    if (!this.request.complete) this.response.setHeader('connection', 'close');
    const status = error.code === 'HTTP_INVALID' ? Number(error.fields['status'] ?? 400) : httpStatus(error);
    this.json(status, errorBody(error));
  }

  /** Answers with a body of a type. */
  send(status: number, type: string, body: string): void {
    const bytes = Buffer.from(body);
    this.response.writeHead(status, { 'content-type': type, 'content-length': bytes.length });
    this.response.end(this.request.method === 'HEAD' ? undefined : bytes);
  }
}
