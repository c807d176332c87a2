import { durationMs, type Clock, type Logger } from '@curfew/shared';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { ConnectionGate } from '../rpc/connection-gate.js';
import { hardened } from '../rpc/server-credentials.js';

/** A certificate with its chain, and its key. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** How slow a request may come, and how large its head may be. */
const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 16_384,
  requireHostHeader: true,
  insecureHTTPParser: false,
  noDelay: true,
} as const;
const MOST_HEADERS = 100;

export interface HttpListenerOptions {
  readonly handle: http.RequestListener;
  readonly tls: TlsFiles | undefined;
  readonly unknownConnections: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Listens for HTTP or HTTPS. Those who do not say who they are get as little here as at the gRPC port. */
export class HttpListener {
  private readonly server: http.Server | https.Server;
  private readonly gate: ConnectionGate;

  constructor(private readonly options: HttpListenerOptions) {
    const { handle, tls, clock, logger, unknownConnections } = options;
    this.server =
      tls === undefined
        ? http.createServer(LIMITS, handle)
        : https.createServer({ ...LIMITS, ...hardened(tls), handshakeTimeout: 10_000 }, handle);
    this.server.maxHeadersCount = MOST_HEADERS;
    // Nobody switches to another protocol here.
    this.server.on('upgrade', (_request, socket) => socket.destroy());
    this.server.on('error', (error) => {
      logger.error('listening for HTTP failed', { error });
    });
    this.gate = new ConnectionGate({ clock, logger, unknownConnections, accept: () => undefined });
    this.gate.guard(this.server);
  }

  /** Listens; gives the port. Errors: those of the operating system. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        this.server.off('error', reject);
        resolve((this.server.address() as AddressInfo).port);
      });
    });
  }

  /** Somebody on the connection of this peer has said who they are, and it was true. */
  identified(peer: string): void {
    this.gate.identified(peer);
  }

  /** Takes a new certificate, for connections from now on. */
  rotate(tls: TlsFiles): void {
    if (this.server instanceof https.Server) this.server.setSecureContext(hardened(tls));
  }

  /** Lets nobody in any more; what is being answered has a second. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => {
        resolve();
      });
    });
    this.server.closeIdleConnections();
    const cut = this.options.clock.after(durationMs(1_000), () => {
      this.gate.closeAll();
    });
    await closed;
    cut();
    this.gate.closeAll();
  }
}
