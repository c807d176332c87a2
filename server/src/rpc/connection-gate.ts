import { durationMs, type Clock, type Logger } from '@curfew/shared';
import net from 'node:net';
import { addressOf } from './call-limits.js';

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

/** What comes from one address. */
interface Crowd {
  /** Its connections on which nobody has said who they are. */
  unknown: number;
  /** Those of its connections that are being taken in. */
  takenIn: number;
}

interface UnknownConnection {
  readonly socket: net.Socket;
  readonly crowd: Crowd;
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
 * Whose address has fewer of them at work goes first, so that nobody keeps the others out by opening many.
 */
export class ConnectionGate {
  private readonly listener: net.Server;
  private readonly open = new Set<net.Socket>();
  /** The oldest first, by peer. */
  private readonly unknown = new Map<string, UnknownConnection>();
  /** Those that are being taken in, by peer, with what takes them out again. */
  private readonly takenIn = new Map<string, () => void>();
  /** By address. */
  private readonly crowds = new Map<string, Crowd>();

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
    const connection = this.unknown.get(peer);
    if (connection === undefined) return;
    connection.cancel();
    connection.crowd.unknown -= 1;
    this.unknown.delete(peer);
    this.forgetIfEmpty(peer, connection.crowd);
  }

  /** Whoever is on the connection of this peer has what it came for, or will not get it: another one may be taken in. */
  settled(peer: string): void {
    const takeOut = this.takenIn.get(peer);
    if (takeOut === undefined) return;
    takeOut();
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
    const { clock } = this.options;
    const peer = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;
    const known = this.crowds.get(addressOf(peer));
    if (this.unknown.size >= this.options.unknownConnections && !this.makeRoom(known?.unknown ?? 0)) {
      socket.destroy();
      return false;
    }
    const crowd = known ?? { unknown: 0, takenIn: 0 };
    crowd.unknown += 1;
    this.crowds.set(addressOf(peer), crowd);
    const cancel = clock.after(IDENTIFY_WITHIN, () => {
      socket.destroy();
    });
    this.open.add(socket);
    this.unknown.set(peer, { socket, crowd, since: clock.bootTime(), cancel, waits });
    socket.once('close', () => {
      this.open.delete(socket);
      if (this.unknown.get(peer)?.socket === socket) this.identified(peer);
      this.settled(peer);
    });
    return true;
  }

  /** Takes in as many as may be: of whom the fewest are at work, and of those the newest first. */
  private takeIn(): void {
    const { clock } = this.options;
    while (this.takenIn.size < TAKEN_IN_AT_ONCE) {
      let next: readonly [string, UnknownConnection] | undefined;
      for (const one of this.unknown)
        if (one[1].waits && (next === undefined || one[1].crowd.takenIn <= next[1].crowd.takenIn)) next = one;
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
      const { crowd } = connection;
      crowd.takenIn += 1;
      this.takenIn.set(peer, () => {
        cancel();
        crowd.takenIn -= 1;
        this.forgetIfEmpty(peer, crowd);
      });
      this.options.accept(connection.socket);
    }
  }

  private forgetIfEmpty(peer: string, crowd: Crowd): void {
    if (crowd.unknown + crowd.takenIn === 0 && this.crowds.get(addressOf(peer)) === crowd)
      this.crowds.delete(addressOf(peer));
  }

  /**
   * One that had its time makes room, or one of an address that has more than the newcomer's will have. Of its own kind, one
   * that has only just come does not: all others might be as slow.
   */
  private makeRoom(ofNewcomer: number): boolean {
    const most = Math.max(...Array.from(this.crowds.values(), ({ unknown }) => unknown));
    const mayGo = ({ crowd, since }: UnknownConnection): boolean =>
      this.options.clock.bootTime() - since >= MAY_BE_REPLACED_MS || (crowd.unknown === most && most > ofNewcomer + 1);
    for (const [peer, connection] of this.unknown) {
      if (!mayGo(connection)) continue;
      this.identified(peer);
      connection.socket.destroy();
      return true;
    }
    return false;
  }
}
