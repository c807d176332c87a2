import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Leads each new connection to the next of some ports of this machine, as a balancer does; to another when nobody listens there. */
export class AlternatingProxy {
  /** Where each connection was led, oldest first. */
  readonly taken: number[] = [];
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: ReturnType<typeof createServer>,
    private readonly targets: readonly number[],
  ) {
    server.on('connection', (client: Socket) => {
      this.pass(client);
    });
  }

  static async start(targets: readonly number[], host = '127.0.0.1'): Promise<AlternatingProxy> {
    const server = createServer().listen(0, host);
    await once(server, 'listening');
    return new AlternatingProxy(server, targets);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private pass(client: Socket): void {
    this.keep(client);
    this.lead(client, this.targets.length);
  }

  /** Leads a connection to the next target, and as many times to the one after it as are left. */
  private lead(client: Socket, attempts: number): void {
    const target = this.targets[this.taken.length % this.targets.length] ?? 0;
    this.taken.push(target);
    const upstream = connect(target, '127.0.0.1');
    this.keep(upstream);
    let isConnected = false;
    upstream.once('connect', () => {
      isConnected = true;
      for (const [socket, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        socket.on('close', () => other.destroy());
        socket.pipe(other);
      }
      if (client.destroyed) upstream.destroy();
    });
    upstream.once('error', () => {
      if (isConnected) return;
      if (attempts > 1) this.lead(client, attempts - 1);
      else client.destroy();
    });
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
  }
}
