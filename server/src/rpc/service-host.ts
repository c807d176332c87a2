import type {
  MethodDefinition,
  Server,
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  UntypedServiceImplementation,
  sendUnaryData,
} from '@grpc/grpc-js';
import { CurfewError, type Clock, type Logger, type Random } from '@curfew/shared';
import { authenticate, type Identity, type KnownCallers } from './authenticate.js';
import type { Measures } from '../metrics/measures.js';
import { TRACEPARENT_HEADER } from '../tracing/spans.js';
import type { Tracing } from '../tracing/tracing.js';
import { CallJournal } from './call-journal.js';
import type { CallLimits } from './call-limits.js';
import { bearerToken, type Credentials } from './credentials.js';
import { REQUEST_ID_HEADER, requestIdOf } from './request-id.js';
import type { RequestRules } from './request-rules.js';
import { shownError, toServiceError } from './status-mapping.js';
import { StreamWatcher } from './stream-watcher.js';

/** A stream of answers to one caller. */
export interface AnswerStream<Response> {
  /** Queues an answer; resolves once there is room for the next. */
  send(response: Response): Promise<void>;
  /** Aborted when the caller is gone, or may no longer call. */
  readonly signal: AbortSignal;
}

type UnaryHandler = (request: never, identity: Identity) => Promise<unknown>;
type StreamHandler = (request: never, identity: Identity, stream: AnswerStream<never>) => Promise<void>;

/** A stream in both directions, with checked and decoded messages. */
export interface DuplexLink<Request, Response> {
  readonly call: ServerDuplexStream<Buffer, Response>;
  readonly identity: Identity;
  decode(message: Buffer): Request;
  fail(error: unknown): void;
  /** Says that it is up. */
  settled(): void;
}
export type DuplexHandler = (link: DuplexLink<never, never>) => void;

type Handler = UnaryHandler | StreamHandler | DuplexHandler;
type AnyCall =
  ServerUnaryCall<Buffer, unknown> | ServerWritableStream<Buffer, unknown> | ServerDuplexStream<Buffer, unknown>;

/** A call as a door hands it in. */
export interface IncomingCall {
  /** '/package.Service/Method'. */
  readonly path: string;
  /** ADDRESS:PORT of the caller. */
  readonly peer: string;
  /** ADDRESS:PORT of the connection, where that is not the caller's own but a proxy's. */
  readonly connection?: string;
  /** What the call is called in every log. */
  readonly requestId: string;
  /** What the caller says of the trace that the call is part of. */
  readonly traceparent?: unknown;
  readonly credentials: Credentials;
  /** The request's bytes, checked. Read only once it is known who calls. Errors: FIELD_INVALID. */
  readonly request: () => Uint8Array;
}

/** Where the answers of a stream go. */
export interface AnswerSink {
  /** Gives an answer's bytes to the caller; resolves once there is room for the next. */
  send(answer: Buffer): Promise<void>;
  /** Aborted when the caller is gone. */
  readonly gone: AbortSignal;
}

export interface ServiceHostOptions extends KnownCallers {
  readonly rules: RequestRules;
  readonly limits: CallLimits;
  /** Called with the connection of each call whose caller is known. */
  readonly identified: (connection: string) => void;
  /**
   * Called with the peer of each call that was answered or refused; of a stream already when it is known who calls, of a
   * device's link when that is up.
   */
  readonly settled: (peer: string) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  readonly measures?: Measures | undefined;
  /** Undefined where nobody collects traces. */
  readonly tracing?: Tracing | undefined;
}

interface HostedMethod {
  readonly definition: MethodDefinition<unknown, unknown>;
  readonly handler: Handler;
}

/**
 * Every method behind one door: caller, rights, request rules, limits, error mapping. gRPC and HTTP both come in by
 * `invoke` and `watch`. No throw can leave a call hanging.
 */
export class ServiceHost {
  private readonly methods = new Map<string, HostedMethod>();
  private readonly watchers = new Set<StreamWatcher>();
  private readonly journal: CallJournal;

  constructor(private readonly options: ServiceHostOptions) {
    this.journal = new CallJournal(options.logger, options.measures, options.tracing);
  }

  /** How many streams of answers are open. */
  get openStreams(): number {
    return this.watchers.size;
  }

  /** Adds a service, for both doors; the handlers' names are the definition's. */
  add(server: Server, definition: ServiceDefinition, handlers: Readonly<Record<string, Handler>>): void {
    const wrapped: UntypedServiceImplementation = {};
    const raw: Record<string, MethodDefinition<Buffer, unknown>> = {};
    for (const [name, method] of Object.entries(definition)) {
      const handler = handlers[name];
      if (handler === undefined) throw new Error(`no handler for ${method.path}`);
      const hosted = { definition: method as MethodDefinition<unknown, unknown>, handler };
      this.methods.set(method.path, hosted);
      raw[name] = { ...method, requestDeserialize: sameBytes };
      // What the answers of the others are, is bytes already.
      if (!method.requestStream) raw[name].responseSerialize = sameBytes as (value: unknown) => Buffer;
      wrapped[name] = this.wrap(hosted) as never;
    }
    server.addService(raw, wrapped);
  }

  /** Looks again at who is on the open streams: a role was changed, a token, a sign-in or a user was stopped. */
  recheckStreams(): void {
    for (const watcher of this.watchers) watcher.recheck();
  }

  /** Ends the open streams of answers: the server stops. */
  stopStreams(): void {
    for (const watcher of this.watchers) watcher.end(new CurfewError('SERVER_STOPPING'));
  }

  /** How a method is called; undefined when there is none of this name. */
  kindOf(path: string): 'unary' | 'stream' | 'duplex' | undefined {
    const definition = this.methods.get(path)?.definition;
    if (definition === undefined) return undefined;
    return definition.requestStream ? 'duplex' : definition.responseStream ? 'stream' : 'unary';
  }

  /** Who calls, and whether they may, now. Errors: those of `authenticate`, TOO_MANY_CALLS. */
  async identify(call: Omit<IncomingCall, 'request' | 'requestId'>): Promise<Identity> {
    const { path, peer, connection = peer, credentials } = call;
    const { limits, identified } = this.options;
    const identity = await authenticate(path, credentials, this.options);
    if (identity.kind === 'open') limits.anybody(peer);
    else identified(connection);
    limits.known(identity, path);
    return identity;
  }

  /** Calls a method with one answer; gives its bytes. Errors: those of `identify`, SERVER_BUSY, FIELD_INVALID, the method's own. */
  async invoke(call: IncomingCall): Promise<Buffer> {
    const { definition, handler } = this.method(call.path, 'unary');
    const note = this.journal.begin(call);
    let end = (): void => undefined;
    try {
      end = this.options.limits.begin(call.path);
      const identity = note.by(await this.identify(call));
      const request = definition.requestDeserialize(Buffer.from(call.request())) as never;
      const answer = await note.during(() => (handler as UnaryHandler)(request, identity));
      const bytes = definition.responseSerialize(answer);
      note.done();
      return bytes;
    } catch (error) {
      note.failed(error);
      throw error;
    } finally {
      end();
      this.options.settled(call.peer);
    }
  }

  /**
   * Calls a method with a stream of answers; resolves when it is over. Rejects at once when the caller may no longer
   * call. Errors: those of `invoke`, at any time.
   */
  async watch(call: IncomingCall, sink: AnswerSink): Promise<void> {
    const { definition, handler } = this.method(call.path, 'stream');
    const note = this.journal.begin(call, true);
    try {
      this.options.limits.assertRoom(call.path);
      const identity = note.by(await this.identify(call));
      this.options.settled(call.peer);
      const request = definition.requestDeserialize(Buffer.from(call.request())) as never;
      const close = this.options.limits.watch(identity);
      const watcher = new StreamWatcher(sink.gone, this.options.clock, identity, () =>
        authenticate(call.path, call.credentials, this.options, true),
      );
      this.watchers.add(watcher);
      const send = async (response: never): Promise<void> => {
        if (!watcher.signal.aborted) await watcher.orOver(sink.send(definition.responseSerialize(response)));
      };
      try {
        await watcher.orLost((handler as StreamHandler)(request, identity, { send, signal: watcher.signal }));
      } finally {
        this.watchers.delete(watcher);
        watcher.close();
        close();
      }
      note.done();
    } catch (error) {
      this.options.settled(call.peer);
      note.failed(error);
      throw error;
    }
  }

  /** The error to answer a call with: nothing of the inside, and nothing for those who guess too much. */
  refusal({ path, peer, requestId }: Pick<IncomingCall, 'path' | 'peer' | 'requestId'>, error: unknown): CurfewError {
    const { limits, logger } = this.options;
    return shownError(limits.failed(peer, error), { method: path, requestId }, logger);
  }

  /** Refuses a call of a method that there is before its body is read, while too many are at work. Errors: SERVER_BUSY. */
  assertRoom(call: Pick<IncomingCall, 'path' | 'requestId' | 'traceparent'>): void {
    try {
      this.options.limits.assertRoom(call.path);
    } catch (error) {
      this.journal.begin(call).failed(error);
      throw error;
    }
  }

  private method(path: string, kind: 'unary' | 'stream'): HostedMethod {
    const method = this.methods.get(path);
    if (method === undefined || this.kindOf(path) !== kind) throw new CurfewError('PAGE_NOT_FOUND');
    return method;
  }

  private wrap({ definition, handler }: HostedMethod): unknown {
    if (definition.requestStream)
      return (call: ServerDuplexStream<Buffer, unknown>) => {
        void this.duplex(definition, handler as DuplexHandler, call);
      };
    if (definition.responseStream)
      return (call: ServerWritableStream<Buffer, unknown>) => {
        void this.stream(definition.path, call);
      };
    return (call: ServerUnaryCall<Buffer, unknown>, callback: sendUnaryData<unknown>) => {
      void this.unary(definition.path, call, callback);
    };
  }

  private incoming(path: string, call: AnyCall, bytes?: Buffer): IncomingCall {
    const { rules, random, tracing } = this.options;
    return {
      path,
      peer: call.getPeer(),
      requestId: requestIdOf(call.metadata.get(REQUEST_ID_HEADER)[0], random),
      traceparent: tracing === undefined ? undefined : call.metadata.get(TRACEPARENT_HEADER)[0],
      credentials: {
        token: bearerToken(call.metadata.get('authorization')[0]?.toString()),
        // Set by grpc-js only when the chain was verified against the CA.
        certificate: () => call.getAuthContext().sslPeerCertificate?.raw,
      },
      request: () => rules.check(path, bytes ?? Buffer.of()),
    };
  }

  private async unary(
    path: string,
    call: ServerUnaryCall<Buffer, unknown>,
    callback: sendUnaryData<unknown>,
  ): Promise<void> {
    const incoming = this.incoming(path, call, call.request);
    try {
      callback(null, await this.invoke(incoming));
    } catch (error) {
      callback(toServiceError(this.refusal(incoming, error), incoming.requestId));
    }
  }

  private async stream(path: string, call: ServerWritableStream<Buffer, unknown>): Promise<void> {
    const gone = new AbortController();
    call.on('cancelled', () => {
      gone.abort();
    });
    const send = (answer: Buffer): Promise<void> => {
      if (call.write(answer)) return Promise.resolve();
      return new Promise((resolve) => {
        call.once('drain', resolve);
      });
    };
    const incoming = this.incoming(path, call, call.request);
    try {
      await this.watch(incoming, { send, gone: gone.signal });
      if (!gone.signal.aborted) call.end();
    } catch (error) {
      endStream(call, toServiceError(this.refusal(incoming, error), incoming.requestId));
    }
  }

  private async duplex(
    { path, requestDeserialize }: MethodDefinition<unknown, unknown>,
    handler: DuplexHandler,
    call: ServerDuplexStream<Buffer, unknown>,
  ): Promise<void> {
    // Nothing may be lost between the first message and the listener that the handler adds.
    call.pause();
    const incoming = this.incoming(path, call);
    const settled = (): void => {
      this.options.settled(incoming.peer);
    };
    const fail = (error: unknown): void => {
      settled();
      endStream(call, toServiceError(this.refusal(incoming, error), incoming.requestId));
    };
    const decode = (bytes: Buffer): never =>
      requestDeserialize(Buffer.from(this.options.rules.check(path, bytes))) as never;
    try {
      const identity = await this.identify(incoming);
      handler({ call: call, identity, decode, fail, settled });
      call.resume();
    } catch (error) {
      fail(error);
    }
  }
}

const sameBytes = (bytes: Buffer): Buffer => bytes;

/** Ends a stream with a status. grpc-js sends it when it hears of the error; a stream that is destroyed just stays silent. */
function endStream(call: ServerWritableStream<Buffer, unknown> | ServerDuplexStream<Buffer, unknown>, error: Error) {
  call.emit('error', error);
}
