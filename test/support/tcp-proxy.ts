import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Where a proxy listens and what it stands for. */
export interface TcpProxyOptions {
  readonly target: { readonly host: string; readonly port: number };
  /** Default 127.0.0.1. */
  readonly listenHost?: string;
  /** Default: any free one. */
  readonly listenPort?: number;
}

/** What a proxied network does at the moment. It may be changed at any time and holds for open connections too. */
export interface NetworkWeather {
  /** Every piece of data arrives this much later. Default 0. */
  delayMs: number;
  /** Bytes per second in each direction of each connection. Default: no limit. */
  bytesPerSecond: number;
  /** Which directions are dead without anybody being told: neither data nor the end of a connection gets through. */
  stalled: { up: boolean; down: boolean };
}

/**
 * What a network does at one piece of data that goes up. `stall`: it arrives, and from then on no answer of any connection
 * comes down. `lose`: it arrives, and its connection is reset instead of an answer. `half`: it arrives, and its connection
 * ends in the middle of the answer. `hold`: it is kept back, and with it all that its connection says, until it is released.
 */
type Mishap = 'stall' | 'lose' | 'half' | 'hold';

/** One connection through a proxy. */
interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly flows: Flow[];
  /** What its next answer meets with. */
  doom: 'lose' | 'half' | 'drop' | undefined;
  isHeld: boolean;
}

const NOTHING = Buffer.alloc(0);

/** One direction of one connection: a queue of pieces, and the end as the last. */
class Flow {
  private readonly queue: { readonly dueMs: number; readonly piece: Buffer | 'end' }[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    from: Socket,
    private readonly to: Socket,
    private readonly direction: 'up' | 'down',
    private readonly weather: NetworkWeather,
    /** Carries a piece. False when it cannot now. */
    private readonly carry: (piece: Buffer) => boolean,
  ) {
    from.on('data', (piece: Buffer) => this.add(piece));
    from.on('end', () => this.add('end'));
    to.on('close', () => clearTimeout(this.timer));
  }

  private add(piece: Buffer | 'end'): void {
    this.queue.push({ dueMs: performance.now() + this.weather.delayMs, piece });
    this.pump();
  }

  /** Sends what is due. Called again when the weather changes. */
  pump(): void {
    clearTimeout(this.timer);
    for (;;) {
      const next = this.queue[0];
      if (!next || this.weather.stalled[this.direction] || this.to.destroyed) return;
      const waitMs = next.dueMs - performance.now();
      if (waitMs > 0) {
        this.timer = setTimeout(() => this.pump(), waitMs);
        return;
      }
      if (next.piece === 'end') {
        if (!this.carry(NOTHING)) return;
        this.queue.shift();
        this.to.end();
        continue;
      }
      // A limited line carries at most 50 ms' worth, then rests for as long as that takes.
      const share = Math.max(1, Math.floor(this.weather.bytesPerSecond / 20));
      if (!this.carry(next.piece.subarray(0, share))) return;
      this.queue.shift();
      if (next.piece.length > share)
        this.queue.unshift({ dueMs: performance.now() + 50, piece: next.piece.subarray(share) });
    }
  }
}

/** Resets a connection. One whose end is on its way is only closed: Node would fail at the reset, and keep it open for ever. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** A TCP connection through a network that can be made slow, dead or broken. */
export class TcpProxy {
  private readonly weather: NetworkWeather = {
    delayMs: 0,
    bytesPerSecond: Number.POSITIVE_INFINITY,
    stalled: { up: false, down: false },
  };
  private readonly pairs = new Set<Pair>();
  private broken = false;
  private mishap: { readonly how: Mishap; pieces: number } | undefined;
  /** How many connections have been made through it so far, refused ones included. */
  accepted = 0;

  private constructor(
    private readonly server: Server,
    private readonly target: TcpProxyOptions['target'],
  ) {}

  static async start(options: TcpProxyOptions): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true });
    const proxy = new TcpProxy(server, options.target);
    server.on('connection', (client) => proxy.accept(client));
    server.listen(options.listenPort ?? 0, options.listenHost ?? '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get host(): string {
    return (this.server.address() as AddressInfo).address;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** HOST:PORT to connect to. */
  get address(): string {
    return `${this.host}:${this.port}`;
  }

  /** How many connections are open. */
  get open(): number {
    return this.pairs.size;
  }

  /** Whether answers are kept back. */
  get isStalled(): boolean {
    return this.weather.stalled.down;
  }

  /** Makes the network slow. */
  slow(change: Partial<Pick<NetworkWeather, 'delayMs' | 'bytesPerSecond'>>): void {
    Object.assign(this.weather, change);
    this.pump();
  }

  /** Half-open: nothing gets through any more and nobody is told; new connections are accepted and hang. */
  stall(directions: { up?: boolean; down?: boolean } = { up: true, down: true }): void {
    this.weather.stalled = { up: directions.up ?? false, down: directions.down ?? false };
  }

  /** Lets something happen, once, at the so-many-th piece of data that goes up from now on. */
  failAt(piece: number, how: Mishap): void {
    this.mishap = { how, pieces: piece };
  }

  /** Whether nothing is to happen any more at a piece of data. */
  get hasFailed(): boolean {
    return this.mishap === undefined;
  }

  /** What was held arrives now; the answer has nobody to go to. */
  release(): void {
    for (const pair of this.pairs) {
      if (!pair.isHeld) continue;
      pair.isHeld = false;
      pair.doom = 'drop';
      for (const flow of pair.flows) flow.pump();
    }
  }

  /** Resets every connection, and each new one, at once. */
  cut(): void {
    this.broken = true;
    for (const { client, upstream } of this.pairs) {
      reset(client);
      reset(upstream);
    }
  }

  /** The network is well again; what was held back arrives now. */
  restore(): void {
    this.broken = false;
    this.weather.delayMs = 0;
    this.weather.bytesPerSecond = Number.POSITIVE_INFINITY;
    this.weather.stalled = { up: false, down: false };
    this.mishap = undefined;
    this.pump();
  }

  async close(): Promise<void> {
    this.broken = true;
    for (const { client, upstream } of this.pairs) {
      client.destroy();
      upstream.destroy();
    }
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    await closed;
  }

  private pump(): void {
    for (const { flows } of this.pairs) for (const flow of flows) flow.pump();
  }

  private accept(client: Socket): void {
    this.accepted++;
    if (this.broken) {
      reset(client);
      return;
    }
    client.setNoDelay(true);
    const upstream = connect({ ...this.target, allowHalfOpen: true, noDelay: true });
    const pair: Pair = { client, upstream, flows: [], doom: undefined, isHeld: false };
    pair.flows.push(
      new Flow(client, upstream, 'up', this.weather, (piece) => this.carryUp(pair, piece)),
      new Flow(upstream, client, 'down', this.weather, (piece) => carryDown(pair, piece)),
    );
    this.pairs.add(pair);
    for (const [side, other, direction] of [
      [client, upstream, 'up'],
      [upstream, client, 'down'],
    ] as const) {
      side.on('error', () => {
        if (!this.weather.stalled[direction] && !pair.isHeld && pair.doom !== 'drop') other.destroy();
      });
      side.on('close', () => {
        if (client.destroyed && upstream.destroyed) this.pairs.delete(pair);
      });
    }
  }

  private carryUp(pair: Pair, piece: Buffer): boolean {
    if (pair.isHeld) return false;
    // The end of what was held would make some servers forget what they were asked.
    if (piece === NOTHING) return pair.doom !== 'drop';
    const { mishap } = this;
    if (mishap !== undefined && --mishap.pieces <= 0) {
      this.mishap = undefined;
      if (mishap.how === 'stall') this.weather.stalled.down = true;
      else if (mishap.how !== 'hold') pair.doom = mishap.how;
      else {
        pair.isHeld = true;
        return false;
      }
    }
    pair.upstream.write(piece);
    return true;
  }
}

function carryDown({ client, upstream, doom, isHeld }: Pair, piece: Buffer): boolean {
  if (isHeld) return false;
  if (doom === undefined || piece === NOTHING) {
    client.write(piece);
    return true;
  }
  upstream.destroy();
  if (doom === 'lose') reset(client);
  else client.end(doom === 'half' ? piece.subarray(0, piece.length / 2) : NOTHING);
  return true;
}
