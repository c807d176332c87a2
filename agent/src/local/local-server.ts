import { LocalServiceService } from '@curfew/proto';
import { CurfewError, type Logger, type Random } from '@curfew/shared';
import {
  Metadata,
  Server,
  ServerCredentials,
  status,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { chmodSync, rmSync } from 'node:fs';
import net from 'node:net';
import type { LocalService } from './local-service.js';

/** Who connected: the only thing that this server believes about a caller. */
export type PeerOf = (socket: net.Socket) => { readonly uid: number; readonly pid: number } | undefined;

/** How many connections one uid may hold at a time. */
const CONNECTIONS_PER_UID = 64;

/** Serves people on the device over a unix socket that everybody may connect to. There is no TCP listener. */
export class LocalServer {
  private readonly grpc = new Server({ 'grpc.max_receive_message_length': 65_536 });
  private readonly sockets = new Set<net.Socket>();
  private readonly perUid = new Map<number, number>();
  private readonly listener: net.Server;

  constructor(
    service: LocalService,
    private readonly peerOf: PeerOf,
    private readonly logger: Logger,
    private readonly random: Random,
  ) {
    this.grpc.addService(LocalServiceService, {
      requestAccess: this.unary((request, uid) => service.requestAccess(request as never, uid)),
      cancelRequest: this.unary((request, uid) => service.cancelRequest(request as never, uid)),
      start: this.unary((request, uid) => service.start(request as never, uid)),
      end: this.unary((request, uid) => service.end(request as never, uid)),
      getStatus: this.unary((_, uid) => service.getStatus(uid)),
      getAgentStatus: this.unary((_, uid) => Promise.resolve(service.getAgentStatus(uid))),
      watchStatus: (call: ServerWritableStream<unknown, unknown>) => {
        const gone = new AbortController();
        for (const event of ['cancelled', 'close', 'error'] as const)
          call.on(event, () => {
            gone.abort();
          });
        const watch = async (): Promise<void> =>
          service.watchStatus(uidOf(call.getPeer()), (response) => call.write(response), gone.signal);
        watch().catch((error: unknown) => {
          call.destroy(this.failure(error));
        });
      },
    });
    const injector = this.grpc.createConnectionInjector(ServerCredentials.createInsecure());
    this.listener = net.createServer((socket) => {
      socket.on('error', () => undefined);
      const peer = this.peerOf(socket);
      const count = peer === undefined ? Infinity : (this.perUid.get(peer.uid) ?? 0);
      if (peer === undefined || count >= CONNECTIONS_PER_UID) {
        socket.destroy();
        return;
      }
      this.perUid.set(peer.uid, count + 1);
      this.sockets.add(socket);
      socket.on('close', () => {
        this.sockets.delete(socket);
        this.perUid.set(peer.uid, (this.perUid.get(peer.uid) ?? 1) - 1);
      });
      // grpc-js reports these two as the peer of each call: the kernel's word travels with the connection.
      Object.defineProperty(socket, 'remoteAddress', { value: `uid-${peer.uid}` });
      Object.defineProperty(socket, 'remotePort', { value: 1 });
      injector.injectConnection(socket);
    });
  }

  /** Listens; a socket that an earlier process left is replaced. */
  listen(file: string): Promise<void> {
    rmSync(file, { force: true });
    return new Promise((resolve, reject) => {
      this.listener.once('error', reject);
      this.listener.listen(file, () => {
        chmodSync(file, 0o666);
        resolve();
      });
    });
  }

  async close(file: string): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) =>
      this.listener.close(() => {
        resolve();
      }),
    );
    this.grpc.forceShutdown();
    rmSync(file, { force: true });
  }

  private unary(handle: (request: unknown, uid: number) => Promise<unknown>) {
    return (call: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>): void => {
      const answer = async (): Promise<unknown> => handle(call.request, uidOf(call.getPeer()));
      answer().then(
        (response) => {
          callback(null, response);
        },
        (error: unknown) => {
          callback(this.failure(error));
        },
      );
    };
  }

  private failure(error: unknown) {
    const requestId = this.random.bytes(6).toString('hex');
    const known = error instanceof CurfewError && error.status !== 'INTERNAL' ? error : undefined;
    if (known === undefined) this.logger.error('local call failed', { requestId, error });
    const shown = known ?? new CurfewError('INTERNAL', { requestId });
    const metadata = new Metadata();
    metadata.set('curfew-error-code', shown.code);
    return Object.assign(new Error(shown.message), { code: status[shown.status], details: shown.message, metadata });
  }
}

/** The uid that the connection was marked with. Anything else is no caller of ours. */
function uidOf(peer: string): number {
  const [, uid] = /^uid-(\d{1,10}):1$/.exec(peer) ?? [];
  if (uid === undefined)
    throw new CurfewError('METHOD_NOT_ALLOWED', {
      role: 'an unknown caller',
      method: 'the agent',
      needed: 'a local account',
    });
  return Number(uid);
}
