import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * What becomes of connections that are open when an address is moved: they are reset, they stay where they lead, or nothing
 * gets through any more and nobody is told, as when a machine is gone.
 */
type OpenOnes = 'cut' | 'keep' | 'silence';

/** An address of this machine that leads to one of several servers, as that of a database cluster leads to its primary. */
export class SwitchedProxy {
  private readonly pairs = new Set<readonly [Socket, Socket]>();

  private constructor(
    private readonly server: ReturnType<typeof createServer>,
    private target: number,
  ) {
    server.on('connection', (client: Socket) => {
      this.pass(client);
    });
  }

  static async start(target: number): Promise<SwitchedProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new SwitchedProxy(server, target);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** From now on it leads to another port. */
  leadTo(port: number, open: OpenOnes): void {
    this.target = port;
    for (const [client, upstream] of this.pairs)
      if (open === 'cut') client.destroy();
      else if (open === 'silence') {
        client.unpipe(upstream);
        upstream.unpipe(client);
        client.resume();
        upstream.removeAllListeners('close').destroy();
      }
  }

  async close(): Promise<void> {
    for (const pair of this.pairs) for (const socket of pair) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private pass(client: Socket): void {
    const upstream = connect(this.target, '127.0.0.1');
    const pair = [client, upstream] as const;
    this.pairs.add(pair);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => other.destroy());
      socket.pipe(other);
    }
    client.on('close', () => this.pairs.delete(pair));
  }
}
