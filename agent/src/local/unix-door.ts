import { chmodSync, rmSync } from 'node:fs';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { unixCaller, type Caller } from '../ports/account-key.js';
import type { LocalDoor } from '../ports/local-door.js';

/** Who is at the other end of a unix socket: the only thing that the agent believes about a caller. */
export type PeerOf = (socket: net.Socket) => { readonly uid: number; readonly pid: number } | undefined;

/** A unix socket, whose callers the kernel names. */
export class UnixDoor implements LocalDoor {
  private listener: net.Server | undefined;
  private place = '';

  constructor(private readonly peerOf: PeerOf) {}

  /** A socket that an earlier process left is replaced. */
  open(place: string, enter: (stream: Duplex, caller: Caller) => void): Promise<void> {
    rmSync(place, { force: true });
    const listener = net.createServer((socket) => {
      socket.on('error', () => undefined);
      const uid = this.peerOf(socket)?.uid;
      if (uid === undefined) socket.destroy();
      else enter(socket, unixCaller(uid));
    });
    [this.listener, this.place] = [listener, place];
    return new Promise((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(place, () => {
        chmodSync(place, 0o666);
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    const { listener, place } = this;
    if (listener === undefined) return;
    await new Promise<void>((resolve) =>
      listener.close(() => {
        resolve();
      }),
    );
    rmSync(place, { force: true });
  }

  keeper(place: string): Promise<number | undefined> {
    return new Promise((resolve) => {
      const socket = net.connect(place);
      socket.once('error', () => resolve(undefined));
      socket.once('connect', () => {
        resolve(this.peerOf(socket)?.pid);
        socket.destroy();
      });
    });
  }
}
