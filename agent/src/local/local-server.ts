import {
  LocalServiceService,
  type CancelRequestRequest,
  type EndEverySessionRequest,
  type EndRequest,
  type GetAgentStatusRequest,
  type GetStatusRequest,
  type RequestAccessRequest,
  type StartRequest,
  type WatchStatusResponse,
} from '@curfew/proto';
import { CurfewError, formatDuration, TokenBuckets, type Clock, type Logger, type Random } from '@curfew/shared';
import {
  Metadata,
  Server,
  ServerCredentials,
  status,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { chmodSync, rmSync } from 'node:fs';
import net from 'node:net';
import type { LocalService } from './local-service.js';
import { requestChecks } from './request-checks.js';
import { SocketGate, type PeerOf } from './socket-gate.js';

const OPTIONS = {
  'grpc.max_receive_message_length': 65_536,
  'grpc.max_concurrent_streams': 16,
  // A connection on which nothing is called any more is closed.
  'grpc.max_connection_idle_ms': 30_000,
};

/** How often one uid may call, and how many statuses it may watch at a time. */
const [CALLS, WATCHES_PER_UID] = [{ burst: 60, perSecond: 20 }, 16];

type UnaryName = Exclude<keyof typeof LocalServiceService, 'watchStatus'>;

/** The service with requests as bytes, so that what cannot be read is refused in our own words. */
const RAW_SERVICE = Object.fromEntries(
  Object.entries(LocalServiceService).map(([name, method]) => [
    name,
    { ...method, requestDeserialize: (bytes: Buffer) => bytes },
  ]),
) as unknown as ServiceDefinition;

export interface LocalServerParts {
  readonly service: LocalService;
  readonly peerOf: PeerOf;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
}

/** Serves people on the device over a unix socket that everybody may connect to. There is no TCP listener. */
export class LocalServer {
  private readonly grpc = new Server(OPTIONS);
  private readonly gate: SocketGate;
  private readonly listener: net.Server;
  private readonly calls: TokenBuckets;
  private readonly watches = new Map<number, number>();

  constructor(private readonly parts: LocalServerParts) {
    const { service, peerOf, clock } = parts;
    this.calls = new TokenBuckets(clock, CALLS);
    this.gate = new SocketGate(peerOf, clock);
    this.grpc.addService(RAW_SERVICE, {
      requestAccess: this.unary('requestAccess', (request: RequestAccessRequest, uid) =>
        service.requestAccess(request, uid),
      ),
      cancelRequest: this.unary('cancelRequest', (request: CancelRequestRequest, uid) =>
        service.cancelRequest(request, uid),
      ),
      start: this.unary('start', (request: StartRequest, uid) => service.start(request, uid)),
      end: this.unary('end', (request: EndRequest, uid) => service.end(request, uid)),
      getStatus: this.unary('getStatus', (_: GetStatusRequest, uid) => service.getStatus(uid)),
      endEverySession: this.unary('endEverySession', (_: EndEverySessionRequest, uid) => service.endEverySession(uid)),
      getAgentStatus: this.unary('getAgentStatus', (_: GetAgentStatusRequest, uid) =>
        Promise.resolve(service.getAgentStatus(uid)),
      ),
      watchStatus: (call: ServerWritableStream<Buffer, WatchStatusResponse>) => {
        this.watch(call).catch((error: unknown) => {
          // grpc-js sends the status when it hears of the error; a stream that is destroyed just stays silent.
          call.emit('error', this.failure(error));
        });
      },
    });
    const injector = this.grpc.createConnectionInjector(ServerCredentials.createInsecure());
    this.listener = net.createServer((socket) => {
      const admitted = this.gate.admit(socket);
      if (admitted === undefined) return;
      // grpc-js reports these two as the peer of each call: the kernel's word travels with the connection.
      Object.defineProperty(socket, 'remoteAddress', { value: `uid-${admitted.uid}` });
      Object.defineProperty(socket, 'remotePort', { value: admitted.number });
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
    this.gate.closeAll();
    await new Promise<void>((resolve) =>
      this.listener.close(() => {
        resolve();
      }),
    );
    this.grpc.forceShutdown();
    rmSync(file, { force: true });
  }

  private unary(name: UnaryName, handle: (request: never, uid: number) => Promise<unknown>) {
    return (call: ServerUnaryCall<Buffer, unknown>, callback: sendUnaryData<unknown>): void => {
      const answer = async (): Promise<unknown> => {
        const uid = this.caller(call);
        // Giving a right back never waits.
        if (name !== 'end') this.takeTurn(uid);
        return handle(decode(name, call.request), uid);
      };
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

  private async watch(call: ServerWritableStream<Buffer, WatchStatusResponse>): Promise<void> {
    const uid = this.caller(call);
    const gone = new AbortController();
    let wake = (): void => undefined;
    for (const event of ['cancelled', 'close', 'error'] as const)
      call.on(event, () => {
        gone.abort();
        wake();
      });
    call.on('drain', () => {
      wake();
    });
    this.takeTurn(uid);
    const open = this.watches.get(uid) ?? 0;
    if (open >= WATCHES_PER_UID) throw new CurfewError('TOO_MANY_CALLS', { what: 'open watches', wait: 'a while' });
    this.watches.set(uid, open + 1);
    /** Resolves once there is room for the next. */
    const send = (response: WatchStatusResponse): Promise<void> =>
      gone.signal.aborted || call.write(response)
        ? Promise.resolve()
        : new Promise((resolve) => {
            wake = resolve;
          });
    try {
      await this.parts.service.watchStatus(uid, send, gone.signal);
    } finally {
      const left = (this.watches.get(uid) ?? 1) - 1;
      if (left > 0) this.watches.set(uid, left);
      else this.watches.delete(uid);
    }
  }

  /** The uid that the connection was marked with. Anything else is no caller of ours. Errors: METHOD_NOT_ALLOWED. */
  private caller(call: { getPeer(): string }): number {
    const [, uid, number] = /^uid-(\d{1,10}):(\d+)$/.exec(call.getPeer()) ?? [];
    if (uid === undefined)
      throw new CurfewError('METHOD_NOT_ALLOWED', {
        role: 'an unknown caller',
        method: 'the agent',
        needed: 'a local account',
      });
    this.gate.called(Number(number));
    return Number(uid);
  }

  /** Errors: TOO_MANY_CALLS. Root is not counted: it could stop the agent anyway. */
  private takeTurn(uid: number): void {
    const wait = uid === 0 ? 0 : this.calls.take(String(uid));
    if (wait > 0) throw new CurfewError('TOO_MANY_CALLS', { what: 'calls', wait: formatDuration(wait + 999) });
  }

  private failure(error: unknown) {
    const { random, logger } = this.parts;
    const requestId = random.bytes(6).toString('hex');
    const known = error instanceof CurfewError && error.status !== 'INTERNAL' ? error : undefined;
    if (known === undefined) logger.error('local call failed', { requestId, error });
    const shown = known ?? new CurfewError('INTERNAL', { requestId });
    const metadata = new Metadata();
    metadata.set('curfew-error-code', shown.code);
    return Object.assign(new Error(shown.message), { code: status[shown.status], details: shown.message, metadata });
  }
}

/** Reads a request and checks it. Errors: FIELD_INVALID. */
function decode(name: UnaryName, bytes: Buffer): never {
  let request: unknown;
  try {
    request = LocalServiceService[name].requestDeserialize(bytes);
  } catch (cause) {
    throw new CurfewError(
      'FIELD_INVALID',
      { field: 'request', problem: 'cannot be read as this method needs it' },
      { cause },
    );
  }
  const checks: Partial<Record<string, (checked: never) => void>> = requestChecks;
  checks[name]?.(request as never);
  return request as never;
}
