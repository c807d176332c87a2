import { ConnectRequest, ConnectResponse } from '@curfew/proto';
import { EventEmitter } from 'node:events';

/** `up` is from the agent to the server. */
export type Direction = 'up' | 'down';

/** What is wrong with the network, for every wire. */
export class Network {
  /** While true, no wire can be made, and the one that is there carries nothing: neither end notices. */
  isStalled = false;
  /** Messages of these directions wait until they are let through. */
  readonly slow = new Set<Direction>();
  /** Grows with everything that moves. */
  activity = 0;
}

/** The server's end of a wire, as a stream of grpc-js looks to what is written for it. */
class ServerEnd extends EventEmitter {
  readonly writableLength = 0;
  isPaused = false;

  constructor(readonly write: (response: ConnectResponse) => boolean) {
    super();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }
}

/** One link between an agent and a server, without a network: what is on its way can wait, be repeated and overtaken. */
export class MemoryWire {
  readonly server: ServerEnd;
  /** What is on its way, as bytes. */
  readonly queues: Record<Direction, Buffer[]> = { up: [], down: [] };
  /** What has arrived, oldest first. */
  readonly arrived: Record<Direction, Buffer[]> = { up: [], down: [] };
  isOpen = true;
  /** How many messages the agent has not taken yet. */
  private taking = 0;

  constructor(
    private readonly network: Network,
    private readonly agent: { received(response: ConnectResponse): Promise<void>; ended(): void },
  ) {
    this.server = new ServerEnd((response) => {
      this.put('down', Buffer.from(ConnectResponse.encode(response).finish()));
      return true;
    });
  }

  get isBusy(): boolean {
    return this.taking > 0;
  }

  send(message: ConnectRequest): void {
    this.put('up', Buffer.from(ConnectRequest.encode(message).finish()));
  }

  /** Puts bytes on their way, whoever they are from. */
  put(direction: Direction, bytes: Buffer): void {
    if (!this.isOpen) return;
    this.queues[direction].push(bytes);
    this.network.activity += 1;
  }

  /** Lets the next message through where nothing holds it up. Gives whether there was one. */
  deliver(): boolean {
    if (this.network.isStalled) return false;
    let moved = false;
    for (const direction of ['up', 'down'] as const)
      if (!this.network.slow.has(direction) && this.letThrough(direction)) moved = true;
    return moved;
  }

  /** Lets one message through a slow direction. */
  letThrough(direction: Direction): boolean {
    if (!this.isOpen || (direction === 'up' && this.server.isPaused)) return false;
    const bytes = this.queues[direction].shift();
    if (bytes === undefined) return false;
    this.network.activity += 1;
    this.arrived[direction].push(bytes);
    if (direction === 'up') this.server.emit('data', bytes);
    else {
      this.taking += 1;
      void this.agent.received(ConnectResponse.decode(bytes)).finally(() => {
        this.taking -= 1;
        this.network.activity += 1;
      });
    }
    return true;
  }

  /** Both ends learn that the link is down, the server's not while the network is stalled; what was on its way is lost. */
  cut(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.queues.up = [];
    this.queues.down = [];
    this.network.activity += 1;
    this.agent.ended();
    if (!this.network.isStalled) this.server.emit('close');
  }
}
