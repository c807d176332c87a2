import {
  LocalServiceService,
  type CancelRequestRequest,
  type EndEverySessionRequest,
  type EndRequest,
  type GetAgentStatusRequest,
  type GetStatusRequest,
  type ListOffersRequest,
  type RequestAccessRequest,
  type StartRequest,
  type WatchStatusRequest,
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
import type { AccountKey, Caller } from '../ports/account-key.js';
import type { LocalDoor } from '../ports/local-door.js';
import type { LocalService } from './local-service.js';
import { requestChecks } from './request-checks.js';
import { SocketGate } from './socket-gate.js';

const OPTIONS = {
  'grpc.max_receive_message_length': 65_536,
  'grpc.max_concurrent_streams': 16,
  // A connection on which nothing is called any more is closed.
  'grpc.max_connection_idle_ms': 30_000,
};

/** How often one account may call, and how many statuses it may watch at a time. */
const [CALLS, WATCHES_PER_ACCOUNT] = [{ burst: 60, perSecond: 20 }, 16];

type UnaryName = Exclude<keyof typeof LocalServiceService, 'watchStatus'>;

/** The service with requests as bytes, so that what cannot be read is refused in our own words. */
const RAW_SERVICE = Object.fromEntries(
  Object.entries(LocalServiceService).map(([name, method]) => [
    name,
    { ...method, requestDeserialize: (bytes: Buffer) => bytes },
  ]),
) as unknown as ServiceDefinition;

/** How a connection is marked, as grpc-js reports it with each call: role, account, number. */
const PEER = /^(administrator|person)=(uid:\d{1,10}|sid:S-1-[0-9-]{1,180}):(\d+)$/;

const peerText = ({ key, isAdministrator }: Caller): string => `${isAdministrator ? 'administrator' : 'person'}=${key}`;

export interface LocalServerParts {
  readonly service: LocalService;
  readonly door: LocalDoor;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
}

/** Serves people on the device at a door that everybody on it may enter. There is no TCP listener. */
export class LocalServer {
  private readonly grpc = new Server(OPTIONS);
  private readonly gate: SocketGate;
  private readonly calls: TokenBuckets;
  private readonly watches = new Map<AccountKey, number>();

  constructor(private readonly parts: LocalServerParts) {
    const { service, clock } = parts;
    this.calls = new TokenBuckets(clock, CALLS);
    this.gate = new SocketGate(clock);
    this.grpc.addService(RAW_SERVICE, {
      requestAccess: this.unary('requestAccess', (request: RequestAccessRequest, caller) =>
        service.requestAccess(request, caller),
      ),
      cancelRequest: this.unary('cancelRequest', (request: CancelRequestRequest, caller) =>
        service.cancelRequest(request, caller),
      ),
      start: this.unary('start', (request: StartRequest, caller) => service.start(request, caller)),
      end: this.unary('end', (request: EndRequest, caller) => service.end(request, caller)),
      listOffers: this.unary('listOffers', (_: ListOffersRequest, caller) => service.listOffers(caller)),
      getStatus: this.unary('getStatus', (request: GetStatusRequest, caller) => service.getStatus(request, caller)),
      endEverySession: this.unary('endEverySession', (_: EndEverySessionRequest, caller) =>
        service.endEverySession(caller),
      ),
      getAgentStatus: this.unary('getAgentStatus', (_: GetAgentStatusRequest, caller) =>
        Promise.resolve(service.getAgentStatus(caller)),
      ),
      watchStatus: (call: ServerWritableStream<Buffer, WatchStatusResponse>) => {
        this.watch(call).catch((error: unknown) => {
          // grpc-js sends the status when it hears of the error; a stream that is destroyed just stays silent.
          call.emit('error', this.failure(error));
        });
      },
    });
  }

  /** Listens. Errors: those of the door. */
  listen(place: string): Promise<void> {
    const injector = this.grpc.createConnectionInjector(ServerCredentials.createInsecure());
    return this.parts.door.open(place, (stream, caller) => {
      const number = this.gate.admit(stream, caller);
      if (number === undefined) return;
      // grpc-js reports these two as the peer of each call: the system's word travels with the connection.
      Object.defineProperty(stream, 'remoteAddress', { value: peerText(caller) });
      Object.defineProperty(stream, 'remotePort', { value: number });
      injector.injectConnection(stream);
    });
  }

  async close(): Promise<void> {
    this.gate.closeAll();
    await this.parts.door.close();
    this.grpc.forceShutdown();
  }

  private unary(name: UnaryName, handle: (request: never, caller: Caller) => Promise<unknown>) {
    return (call: ServerUnaryCall<Buffer, unknown>, callback: sendUnaryData<unknown>): void => {
      const answer = async (): Promise<unknown> => {
        const caller = this.caller(call);
        // Giving a right back never waits.
        if (name !== 'end') this.takeTurn(caller);
        return handle(decode(name, call.request), caller);
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
    const caller = this.caller(call);
    const request: WatchStatusRequest = decode('watchStatus', call.request);
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
    this.takeTurn(caller);
    const open = this.watches.get(caller.key) ?? 0;
    if (open >= WATCHES_PER_ACCOUNT) throw new CurfewError('TOO_MANY_CALLS', { what: 'open watches', wait: 'a while' });
    this.watches.set(caller.key, open + 1);
    /** Resolves once there is room for the next. */
    const send = (response: WatchStatusResponse): Promise<void> =>
      gone.signal.aborted || call.write(response)
        ? Promise.resolve()
        : new Promise((resolve) => {
            wake = resolve;
          });
    try {
      await this.parts.service.watchStatus(request, caller, send, gone.signal);
    } finally {
      const left = (this.watches.get(caller.key) ?? 1) - 1;
      if (left > 0) this.watches.set(caller.key, left);
      else this.watches.delete(caller.key);
    }
  }

  /** Who the connection was marked with. Anything else is no caller of ours. Errors: METHOD_NOT_ALLOWED. */
  private caller(call: { getPeer(): string }): Caller {
    const [, role, key, number] = PEER.exec(call.getPeer()) ?? [];
    if (key === undefined)
      throw new CurfewError('METHOD_NOT_ALLOWED', {
        role: 'an unknown caller',
        method: 'the agent',
        needed: 'a local account',
      });
    this.gate.called(Number(number));
    return { key: key as AccountKey, isAdministrator: role === 'administrator' };
  }

  /** Errors: TOO_MANY_CALLS. Administrators are not counted: they could stop the agent anyway. */
  private takeTurn({ key, isAdministrator }: Caller): void {
    const wait = isAdministrator ? 0 : this.calls.take(key);
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
function decode(name: keyof typeof LocalServiceService, bytes: Buffer): never {
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
