import { durationMs, type Clock } from '@curfew/shared';
import type { Duplex } from 'node:stream';
import type { AccountKey, Caller } from '../ports/account-key.js';

/** How many connections one account may hold at a time, and all together. */
const [CONNECTIONS_PER_ACCOUNT, CONNECTIONS] = [64, 1_024];

/** How long a connection may be open before something is called on it. */
const CALL_WITHIN = durationMs(10_000);

/** Lets connections in, few of one account, few in all, none that stay silent: nobody can use up what others need. */
export class SocketGate {
  /** Open connections, the oldest first, and whose they are. */
  private readonly open = new Map<Duplex, Caller>();
  private readonly perAccount = new Map<AccountKey, number>();
  /** Connections on which nothing has been called yet. */
  private readonly silent = new Set<number>();
  private count = 0;

  constructor(private readonly clock: Clock) {}

  /** The number of a connection that is let in, unlike that of any other of this process; undefined when it was closed. */
  admit(socket: Duplex, caller: Caller): number | undefined {
    socket.on('error', () => undefined);
    const own = this.perAccount.get(caller.key) ?? 0;
    if (own >= CONNECTIONS_PER_ACCOUNT) {
      socket.destroy();
      return undefined;
    }
    if (this.open.size >= CONNECTIONS) this.makeRoom();
    this.open.set(socket, caller);
    this.perAccount.set(caller.key, own + 1);
    const number = ++this.count;
    this.silent.add(number);
    const cancel = this.clock.after(CALL_WITHIN, () => {
      if (this.silent.has(number)) socket.destroy();
    });
    socket.once('close', () => {
      cancel();
      this.silent.delete(number);
      this.forget(socket, caller);
    });
    return number;
  }

  /** Notes that something was called on a connection. */
  called(number: number): void {
    this.silent.delete(number);
  }

  closeAll(): void {
    for (const socket of this.open.keys()) socket.destroy();
  }

  /** Somebody with many uids, as in a user namespace, can hold many connections: the oldest goes, administrators' stay. */
  private makeRoom(): void {
    for (const [socket, caller] of this.open)
      if (!caller.isAdministrator) {
        this.forget(socket, caller);
        socket.destroy();
        return;
      }
  }

  private forget(socket: Duplex, { key }: Caller): void {
    if (!this.open.delete(socket)) return;
    const left = (this.perAccount.get(key) ?? 1) - 1;
    if (left > 0) this.perAccount.set(key, left);
    else this.perAccount.delete(key);
  }
}
