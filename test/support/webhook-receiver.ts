import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { ReceiverCertificate } from './receiver-certificate.js';

/** What a webhook's body says. */
export interface WebhookEvent {
  readonly type: string;
  readonly timestamp: string;
  readonly data: {
    readonly index: number;
    readonly actor: string;
    readonly subject: string;
    readonly [key: string]: unknown;
  };
}

/** How the receiver treats a call: takes it, or one of the ways in which receivers fail. */
export type Treatment = 'take' | 'fail' | 'reset' | 'half' | 'hang';

/** A webhook's receiver as its specification wants it: checks each signature and drops what it has had. */
export class WebhookReceiver {
  /** What was taken, in the order of arrival, each id once. */
  readonly events: WebhookEvent[] = [];
  /** The ids of the calls that were taken, doubles included. */
  readonly ids: string[] = [];
  /** Calls whose signature was wrong. There must be none. */
  unsigned = 0;
  calls = 0;
  treat: (event: WebhookEvent) => Treatment = () => 'take';
  secret = '';
  private server: Server | undefined;
  port = 0;

  constructor(private readonly tls?: ReceiverCertificate) {}

  get url(): string {
    return `${this.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}/hooks/curfew?of=ours`;
  }

  /** Listens, at a second call on the same port as before. */
  async start(): Promise<this> {
    const listener: RequestListener = (request, response) => void this.take(request, response);
    const { tls } = this;
    this.server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    if (this.server?.listening !== true) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  get indices(): number[] {
    return this.events.map(({ data }) => data.index);
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.calls++;
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const body = Buffer.concat(chunks);
    let event: WebhookEvent;
    try {
      event = new Webhook(this.secret).verify(body, request.headers as Record<string, string>) as WebhookEvent;
    } catch {
      this.unsigned++;
      response.writeHead(401).end();
      return;
    }
    switch (this.treat(event)) {
      case 'take':
        this.keep(String(request.headers['webhook-id']), event);
        response.writeHead(204).end();
        return;
      case 'fail':
        response.writeHead(500).end('it broke here');
        return;
      case 'reset':
        request.socket.destroy();
        return;
      case 'half':
        request.socket.end('HTTP/1.1 20');
        return;
      case 'hang':
        return;
    }
  }

  private keep(id: string, event: WebhookEvent): void {
    if (!this.ids.includes(id)) this.events.push(event);
    this.ids.push(id);
  }
}
