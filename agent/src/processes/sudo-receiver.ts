import { durationMs, SECOND, type Clock, type Logger } from '@curfew/shared';
import net from 'node:net';
import type { Admission, CalledSudo } from './follower.js';
import { SudoConnection, type SudoConnectionParts } from './sudo-connection.js';
import type { FollowedSession } from './session-members.js';
import type { Recorder } from '../recordings/recorder.js';

/** A sudo at the other end of a connection, and whether it still is. */
export interface SudoPeer extends CalledSudo {
  /** It may have been killed meanwhile, and its process id given away. */
  readonly isThere: () => boolean;
}

export interface SudoReceiverParts extends Pick<SudoConnectionParts, 'hasRoom'> {
  /** The sudo at the other end of a connection; undefined when it is another program's. */
  readonly peer: (localPort: number, remotePort: number) => SudoPeer | undefined;
  /** Whether a sudo may go on, see `Follower`. */
  readonly admit: (sudo: CalledSudo, still: () => boolean) => Promise<Admission>;
  /** What records a call of sudo; undefined where nothing is recorded. `end` has that sudo end its command. */
  readonly record: (sudo: CalledSudo, session: FollowedSession, end: (why: string) => void) => Recorder | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long a client may take until it has said hello. */
const HELLO_WITHIN = durationMs(10 * SECOND);
/** Connections at a time; every running command of a session holds one. */
const MOST_CONNECTIONS = 4096;
/** How much of what was said may be in memory, for all connections together. */
const MOST_HELD = 128 * 1024 * 1024;

/**
 * What sudo takes for its log server (sudoers(5), log_servers): it waits for the greeting before it runs anything, and
 * stays connected while its command runs. Only sudo is listened to.
 */
export class SudoReceiver {
  private held = 0;
  private readonly server = net.createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    this.receive(socket);
  });

  constructor(private readonly parts: SudoReceiverParts) {
    this.server.maxConnections = MOST_CONNECTIONS;
  }

  /** Listens at the first port that is free. Gives it. Errors: none of them is. */
  async listen(ports: readonly number[]): Promise<number> {
    for (const port of ports) if (await this.listenAt(port)) return port;
    throw new Error(`no port is free among ${ports.join(', ')}`);
  }

  private listenAt(port: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => {
        if (error.code === 'EADDRINUSE') resolve(false);
        else reject(error);
      };
      this.server.once('error', failed);
      this.server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
        this.server.off('error', failed);
        resolve(true);
      });
    });
  }

  private receive(socket: net.Socket): void {
    // A reset is how sudo's killed end looks.
    socket.on('error', () => undefined);
    const { localPort, remotePort } = socket;
    const { admit, hasRoom, record, clock, logger } = this.parts;
    const peer =
      localPort === undefined || remotePort === undefined ? undefined : this.parts.peer(localPort, remotePort);
    if (peer === undefined) {
      socket.destroy();
      return;
    }
    const late = clock.after(HELLO_WITHIN, () => socket.destroy());
    socket.once('close', late);
    new SudoConnection(socket, {
      peer,
      admit: () => admit(peer, peer.isThere),
      hasRoom,
      record: (session, end) => record(peer, session, end),
      holds: (more) => (this.held += more) > MOST_HELD,
      saidHello: late,
      logger,
    });
    socket.resume();
  }
}
