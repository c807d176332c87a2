import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ReceiverCertificate } from './receiver-certificate.js';

/** A span as it was received. */
export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** '' for the first of a trace that begins here. */
  readonly parentSpanId: string;
  /** SpanKind of the protocol: 1 is internal, 2 is a server's. */
  readonly kind: number;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  /** Status of the protocol: 0 is unset, 2 is an error. */
  readonly status: number;
}

/** How the receiver treats a post: takes it, or one of the ways in which collectors fail. */
export type Treatment = 'take' | 'fail' | 'hang' | 'nonsense' | 'endless' | 'reset';

/** OTLP's JSON (github.com/open-telemetry/opentelemetry-proto), as far as spans need it. */
interface Posted {
  resourceSpans: { resource: { attributes: Attribute[] }; scopeSpans: { spans: PostedSpan[] }[] }[];
}
interface PostedSpan extends Omit<ReceivedSpan, 'facts' | 'status' | 'parentSpanId'> {
  parentSpanId?: string;
  attributes: Attribute[];
  status: { code: number };
}
interface Attribute {
  key: string;
  value: { stringValue?: string; intValue?: string | number; boolValue?: boolean };
}

/** A collector of traces on this machine: it takes what OTLP over HTTP says, in JSON, and nothing else. */
export class TraceReceiver {
  /** Every body that came whole, as it came, refused ones too. */
  readonly bodies: string[] = [];
  /** The headers of the last post. */
  headers: IncomingMessage['headers'] = {};
  readonly spans: ReceivedSpan[] = [];
  /** What each post has said of the server. */
  readonly resources: ReceivedSpan['facts'][] = [];
  treatment: Treatment = 'take';
  private readonly server: Server;

  constructor(private readonly tls?: ReceiverCertificate) {
    const listener: RequestListener = (request, response) => void this.answer(request, response);
    this.server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  }

  async start(): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  get url(): string {
    return `${this.tls === undefined ? 'http' : 'https'}://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The first spans of traces of a method, such as 'SessionService/GrantSession', oldest first. */
  calls(method: string): ReceivedSpan[] {
    return this.spans.filter(({ name, kind }) => kind === 2 && name.endsWith(`.${method}`));
  }

  /** The parts of a span. */
  partsOf({ traceId, spanId }: ReceivedSpan): ReceivedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId && span.parentSpanId === spanId);
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    this.headers = request.headers;
    this.bodies.push(Buffer.concat(chunks).toString());
    switch (this.treatment) {
      case 'take':
        assert.deepEqual([request.method, request.url], ['POST', '/v1/traces']);
        assert.equal(request.headers['content-type'], 'application/json');
        this.keep(JSON.parse(this.bodies.at(-1) ?? '') as Posted);
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"partialSuccess":{}}');
        return;
      case 'fail':
        response.writeHead(500).end('it broke here');
        return;
      case 'nonsense':
        response.writeHead(200, { 'content-type': 'application/json' }).end('\u0000<!doctype html>{"partial');
        return;
      case 'endless':
        response.writeHead(200);
        this.writeOn(response);
        return;
      case 'reset':
        request.socket.destroy();
        return;
      case 'hang':
        return;
    }
  }

  /** A sign now and then, for ever. */
  private writeOn(response: ServerResponse): void {
    const timer = setInterval(() => response.write('x'), 50);
    response.once('close', () => clearInterval(timer));
  }

  private keep({ resourceSpans }: Posted): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      this.resources.push(factsOf(resource.attributes));
      for (const { parentSpanId = '', attributes, status, ...span } of scopeSpans.flatMap(({ spans }) => spans))
        this.spans.push({ ...span, parentSpanId, facts: factsOf(attributes), status: status.code });
    }
  }
}

const factsOf = (attributes: readonly Attribute[]): ReceivedSpan['facts'] =>
  Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, boolValue } }) => {
      const value = stringValue ?? boolValue ?? (intValue === undefined ? undefined : Number(intValue));
      assert.notEqual(value, undefined, `${key} has no value that is known`);
      return [key, value!];
    }),
  );
