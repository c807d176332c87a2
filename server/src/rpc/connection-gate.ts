import { durationMs, type Clock, type Logger } from '@curfew/shared';
import net from 'node:net';

/** How long a connection may be open before somebody on it has said who they are. */
const IDENTIFY_WITHIN = durationMs(30_000);
/** From what age on a connection without identity makes room for a new one. */
const MAY_BE_REPLACED_MS = 5_000;

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
}

/**
 * Listens, and lets connections in. Those on which nobody says who they are cost little: there are never more than the
 * limit, and none stays. Connections of devices and operators are not counted.
 */
export class ConnectionGate {
  private readonly listener: net.Server;
  private readonly open = new Set<net.Socket>();
  /** The oldest first, by peer. */
  private readonly unknown = new Map<string, UnknownConnection>();

  constructor(private readonly options: ConnectionGateOptions) {
    // Answers are small and waited for: they are not held back to be sent together.
    this.listener = net.createServer({ noDelay: true }, (socket) => {
      this.take(socket);
    });
  }

  /** Listens; gives the port. Errors: those of the operating system. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.listener.once('error', reject);
      this.listener.listen(port, host, () => {
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
      this.take(socket);
    });
  }

  /** Somebody on the connection of this peer has said who they are, and it was true. */
  identified(peer: string): void {
    this.unknown.get(peer)?.cancel();
    this.unknown.delete(peer);
  }

  /** Lets nobody in any more. */
  stop(): void {
    this.listener.close();
  }

  /** Closes what is still open. */
  closeAll(): void {
    for (const socket of this.open) socket.destroy();
  }

  private take(socket: net.Socket): void {
    socket.on('error', () => undefined);
    if (this.unknown.size >= this.options.unknownConnections && !this.makeRoom()) {
      socket.destroy();
      return;
    }
    const { clock } = this.options;
    const peer = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;
    const cancel = clock.after(IDENTIFY_WITHIN, () => {
      socket.destroy();
    });
    this.open.add(socket);
    this.unknown.set(peer, { socket, since: clock.bootTime(), cancel });
    socket.once('close', () => {
      this.open.delete(socket);
      if (this.unknown.get(peer)?.socket === socket) this.identified(peer);
    });
    this.options.accept(socket);
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
