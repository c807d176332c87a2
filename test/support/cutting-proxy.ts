import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** When a connection is cut: before the statement has gone to the server, or after it and before the answer. */
type Cut = 'before' | 'after';

/** Stands between a client and a PostgreSQL without TLS, and can cut a connection at a COMMIT or a BEGIN. */
export class CuttingProxy {
  private cut: Cut | undefined;
  private at: 'commit' | 'begin' = 'commit';
  private shutAfterwards = false;
  private readonly sockets = new Set<Socket>();
  /** Whether nobody gets through any more. */
  private shut = false;
  /** How many connections were cut. */
  cuts = 0;

  private constructor(
    private readonly server: ReturnType<typeof createServer>,
    private readonly target: number,
  ) {
    server.on('connection', (client: Socket) => {
      this.pass(client);
    });
  }

  static async start(target: number): Promise<CuttingProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new CuttingProxy(server, target);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Cuts at the next COMMIT of any connection, or the next BEGIN; after it, nobody gets through if wanted. */
  cutNext(cut: Cut, thenShut = false, at: 'commit' | 'begin' = 'commit'): void {
    this.cut = cut;
    this.at = at;
    this.shutAfterwards = thenShut;
  }

  /** Lets connections through again. */
  open(): void {
    this.shut = false;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private pass(client: Socket): void {
    if (this.shut) {
      client.destroy();
      return;
    }
    const upstream = connect(this.target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
    }
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    client.on('close', end);
    upstream.on('close', end);
    let deaf = false;
    upstream.on('data', (bytes: Buffer) => {
      if (deaf) end();
      else client.write(bytes);
    });
    client.on('data', (bytes: Buffer) => {
      const { cut, at } = this;
      if (cut !== undefined && /^Q.{4}(commit|begin)\b/s.exec(bytes.toString('latin1'))?.[1] === at) {
        this.cut = undefined;
        this.cuts += 1;
        this.shut = this.shutAfterwards;
        deaf = true;
        if (cut === 'before') {
          end();
          return;
        }
      }
      upstream.write(bytes);
    });
  }
}
