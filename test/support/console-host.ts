import {
  createFakeApi,
  createFakeHandler,
  type FakeApi,
  type FakeHandler,
  type SeedOptions,
} from '@curfew/console/fake-api';
import { readFileSync, statSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ManualClock } from '@curfew/shared';

const DIST = fileURLToPath(new URL('../../../server/console/dist/', import.meta.url));

/** The same policy as the server sends with the console's pages. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
} as const;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
};

/** How a host is filled, and whether its time stands still. */
export interface ConsoleHostOptions extends SeedOptions {
  /** A clock that only tests move, for pictures that are the same each time. */
  readonly clock?: ManualClock;
}

/** The built console on a free port, before the fake API. */
export class ConsoleHost {
  private readonly sockets = new Set<Socket>();
  private server: Server;

  private constructor(
    readonly api: FakeApi,
    readonly handler: FakeHandler,
    private port: number,
  ) {
    this.server = this.create();
  }

  /** Starts a host. */
  static async start(options: ConsoleHostOptions = {}): Promise<ConsoleHost> {
    const api = createFakeApi(options, ...(options.clock === undefined ? [] : [options.clock]));
    const host = new ConsoleHost(api, createFakeHandler(api), 0);
    await host.listen();
    return host;
  }

  /** Where the console is. */
  get address(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The server goes away: every connection is cut, and nobody answers. What it knows stays. */
  async goDown(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  /** The server is back on the same port. */
  async comeBack(): Promise<void> {
    this.server = this.create();
    await this.listen();
  }

  async close(): Promise<void> {
    this.api.close();
    await this.goDown();
  }

  private create(): Server {
    const server = createServer((request, response) => {
      for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
      response.setHeader('date', new Date(this.api.world.clock.now()).toUTCString());
      if (!this.handler(request, response)) sendFile(request.url ?? '/', response);
    });
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    return server;
  }

  private async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }
}

function sendFile(url: string, response: ServerResponse): void {
  const path = normalize(new URL(url, 'http://localhost').pathname);
  const isFile = statSync(join(DIST, path), { throwIfNoEntry: false })?.isFile() === true;
  const file = isFile ? path : '/index.html';
  response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
  response.end(readFileSync(join(DIST, file)));
}
