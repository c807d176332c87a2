import { durationMs, type Clock, type Logger } from '@curfew/shared';
import net from 'node:net';

/** How long a connection may be open before somebody on it has said who they are. */
const IDENTIFY_WITHIN = durationMs(30_000);
/** From what age on a connection without identity makes room for a new one. */
const MAY_BE_REPLACED_MS = 5_000;

/** How many connections are taken in at the same time: TLS, who it is, and a device's first desired state. */
const TAKEN_IN_AT_ONCE = 64;
/** After so long the next one is taken in, whatever this one does. */
const TAKE_IN_WITHIN = durationMs(2_000);
/** One that has waited for so long is closed: who opened it gives up soon, and what is done for it would be in vain. */
const MAY_WAIT_MS = 8_000;

/** How many connections the system may hold that were not taken yet: after a restart a whole fleet comes back at once. */
const BACKLOG = 4_096;

export interface ConnectionGateOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** How many connections may be open on which nobody has said who they are. */
  readonly unknownConnections: number;
  /** Takes what was let in. */
  readonly accept: (socket: net.Socket) => void;
}

interface UnknownConnection {
  readonly socket: net.Socket;
  readonly since: number;
  readonly cancel: () => void;
  /** Whether it waits to be taken in. */
  waits: boolean;
}

/**
 * Listens, and lets connections in. Those on which nobody says who they are cost little: there are never more than the
 * limit, and none stays. Connections of devices and operators are not counted.
 *
 * When a whole fleet comes back at once, only a few connections are worked on at a time, and the newest is the next: if all
 * were, none would be ready before its agent gives up and begins anew, and the server would work without end and link nobody.
 */
export class ConnectionGate {
  private readonly listener: net.Server;
  private readonly open = new Set<net.Socket>();
  /** The oldest first, by peer. */
  private readonly unknown = new Map<string, UnknownConnection>();
  /** Those that are being taken in, by peer, with what takes back the limit to its time. */
  private readonly takenIn = new Map<string, () => void>();

  constructor(private readonly options: ConnectionGateOptions) {
    // Answers are small and waited for: they are not held back to be sent together. Nothing is read of one that waits.
    this.listener = net.createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
      if (this.take(socket, true)) this.takeIn();
    });
  }

  /** Listens; gives the port. Errors: those of the operating system. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.listener.once('error', reject);
      this.listener.listen({ port, host, backlog: BACKLOG }, () => {
        this.listener.off('error', reject);
        this.listener.on('error', (error) => {
          this.options.logger.error('listening failed', { error });
        });
        resolve((this.listener.address() as net.AddressInfo).port);
      });
    });
  }

  /** Watches over another listener's connections, which it takes itself. */
  guard(listener: net.Server): void {
    listener.on('connection', (socket: net.Socket) => {
      this.take(socket, false);
    });
  }

  /** How many connections are open on which nobody has said who they are. */
  get unknownCount(): number {
    return this.unknown.size;
  }

  /** Somebody on the connection of this peer has said who they are, and it was true. */
  identified(peer: string): void {
    this.unknown.get(peer)?.cancel();
    this.unknown.delete(peer);
  }

  /** Whoever is on the connection of this peer has what it came for, or will not get it: another one may be taken in. */
  settled(peer: string): void {
    const cancel = this.takenIn.get(peer);
    if (cancel === undefined) return;
    cancel();
    this.takenIn.delete(peer);
    this.takeIn();
  }

  /** How many connections wait to be taken in. */
  get waitingCount(): number {
    let count = 0;
    for (const { waits } of this.unknown.values()) if (waits) count += 1;
    return count;
  }

  /** Lets nobody in any more. */
  stop(): void {
    this.listener.close();
  }

  /** Closes what is still open. */
  closeAll(): void {
    for (const socket of this.open) socket.destroy();
  }

  /** Notes a new connection. Gives whether there was room for it. */
  private take(socket: net.Socket, waits: boolean): boolean {
    socket.on('error', () => undefined);
    if (this.unknown.size >= this.options.unknownConnections && !this.makeRoom()) {
      socket.destroy();
      return false;
    }
    const { clock } = this.options;
    const peer = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;
    const cancel = clock.after(IDENTIFY_WITHIN, () => {
      socket.destroy();
    });
    this.open.add(socket);
    this.unknown.set(peer, { socket, since: clock.bootTime(), cancel, waits });
    socket.once('close', () => {
      this.open.delete(socket);
      if (this.unknown.get(peer)?.socket === socket) this.identified(peer);
      this.settled(peer);
    });
    return true;
  }

  /** Takes in as many as may be, the newest first. */
  private takeIn(): void {
    const { clock } = this.options;
    while (this.takenIn.size < TAKEN_IN_AT_ONCE) {
      let next: readonly [string, UnknownConnection] | undefined;
      for (const one of this.unknown) if (one[1].waits) next = one;
      if (next === undefined) return;
      const [peer, connection] = next;
      connection.waits = false;
      if (clock.bootTime() - connection.since > MAY_WAIT_MS) {
        connection.socket.destroy();
        continue;
      }
      const cancel = clock.after(TAKE_IN_WITHIN, () => {
        this.settled(peer);
      });
      this.takenIn.set(peer, cancel);
      this.options.accept(connection.socket);
    }
  }

  /** One that had its time makes room. One that has only just come does not: all others might be as slow. */
  private makeRoom(): boolean {
    for (const [peer, { socket, since }] of this.unknown) {
      if (this.options.clock.bootTime() - since < MAY_BE_REPLACED_MS) return false;
      this.identified(peer);
      socket.destroy();
      return true;
    }
    return false;
  }
}
