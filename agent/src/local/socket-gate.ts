import { durationMs, type Clock } from '@curfew/shared';
import type net from 'node:net';

/** How many connections one uid may hold at a time, and all together. */
const [CONNECTIONS_PER_UID, CONNECTIONS] = [64, 1_024];

/** How long a connection may be open before something is called on it. */
const CALL_WITHIN = durationMs(10_000);

/** Who connected: the only thing that the agent believes about a caller. */
export type PeerOf = (socket: net.Socket) => { readonly uid: number; readonly pid: number } | undefined;

/** A connection that was let in. */
export interface Admitted {
  readonly uid: number;
  /** Its number, unlike that of any other of this process. */
  readonly number: number;
}

/** Lets connections in, few of one uid, few in all, none that stay silent: nobody can use up what others need. */
export class SocketGate {
  /** Open connections, the oldest first, and whose they are. */
  private readonly open = new Map<net.Socket, number>();
  private readonly perUid = new Map<number, number>();
  /** Connections on which nothing has been called yet. */
  private readonly silent = new Set<number>();
  private count = 0;

  constructor(
    private readonly peerOf: PeerOf,
    private readonly clock: Clock,
  ) {}

  /** Whose a connection is that is let in; undefined when it was closed instead. */
  admit(socket: net.Socket): Admitted | undefined {
    socket.on('error', () => undefined);
    const uid = this.peerOf(socket)?.uid;
    const own = uid === undefined ? 0 : (this.perUid.get(uid) ?? 0);
    if (uid === undefined || own >= CONNECTIONS_PER_UID) {
      socket.destroy();
      return undefined;
    }
    if (this.open.size >= CONNECTIONS) this.makeRoom();
    this.open.set(socket, uid);
    this.perUid.set(uid, own + 1);
    const number = ++this.count;
    this.silent.add(number);
    const cancel = this.clock.after(CALL_WITHIN, () => {
      if (this.silent.has(number)) socket.destroy();
    });
    socket.once('close', () => {
      cancel();
      this.silent.delete(number);
      this.forget(socket, uid);
    });
    return { uid, number };
  }

  /** Notes that something was called on a connection. */
  called(number: number): void {
    this.silent.delete(number);
  }

  closeAll(): void {
    for (const socket of this.open.keys()) socket.destroy();
  }

  /** Somebody with many uids, as in a user namespace, can hold many connections: the oldest goes, root's stay. */
  private makeRoom(): void {
    for (const [socket, uid] of this.open)
      if (uid !== 0) {
        this.forget(socket, uid);
        socket.destroy();
        return;
      }
  }

  private forget(socket: net.Socket, uid: number): void {
    if (!this.open.delete(socket)) return;
    const left = (this.perUid.get(uid) ?? 1) - 1;
    if (left > 0) this.perUid.set(uid, left);
    else this.perUid.delete(uid);
  }
}
