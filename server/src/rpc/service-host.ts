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
import type { Logger, Random } from '@curfew/shared';
import type { Devices } from '../devices/devices.js';
import type { ApiTokens } from '../users/api-tokens.js';
import { authenticate, type Identity } from './authenticate.js';
import type { RequestRules } from './request-rules.js';
import { toServiceError } from './status-mapping.js';

/** A stream of answers to one caller. */
export interface AnswerStream<Response> {
  /** Queues an answer; resolves once there is room for the next. */
  send(response: Response): Promise<void>;
  /** Aborted when the caller is gone, or may no longer call. */
  readonly signal: AbortSignal;
}

export type UnaryHandler = (request: never, identity: Identity) => Promise<unknown>;
export type StreamHandler = (request: never, identity: Identity, stream: AnswerStream<never>) => Promise<void>;

/** A stream in both directions, with checked and decoded messages. */
export interface DuplexLink<Request, Response> {
  readonly call: ServerDuplexStream<Buffer, Response>;
  readonly identity: Identity;
  decode(message: Buffer): Request;
  fail(error: unknown): void;
}
export type DuplexHandler = (link: DuplexLink<never, never>) => void;

type Handler = UnaryHandler | StreamHandler | DuplexHandler;

export interface ServiceHostOptions {
  readonly rules: RequestRules;
  readonly devices: Devices;
  readonly tokens: ApiTokens;
  readonly logger: Logger;
  readonly random: Random;
}

/** Puts handlers behind one door: caller, rights, request rules, error mapping. No throw can leave a call hanging. */
export class ServiceHost {
  private readonly watchers = new Set<{ readonly recheck: () => void }>();

  constructor(private readonly options: ServiceHostOptions) {}

  /** Adds a service; the handlers' names are the definition's. */
  add(server: Server, definition: ServiceDefinition, handlers: Readonly<Record<string, Handler>>): void {
    const wrapped: UntypedServiceImplementation = {};
    const raw: Record<string, MethodDefinition<Buffer, unknown>> = {};
    for (const [name, method] of Object.entries(definition)) {
      const handler = handlers[name];
      if (handler === undefined) throw new Error(`no handler for ${method.path}`);
      raw[name] = { ...method, requestDeserialize: (bytes: Buffer) => bytes };
      wrapped[name] = this.wrap(method as MethodDefinition<unknown, unknown>, handler) as never;
    }
    server.addService(raw, wrapped);
  }

  /** Looks again at who is on the open streams: a role was changed, a token or a user was stopped. */
  recheckStreams(): void {
    for (const watcher of this.watchers) watcher.recheck();
  }

  private wrap(method: MethodDefinition<unknown, unknown>, handler: Handler): unknown {
    if (method.requestStream)
      return (call: ServerDuplexStream<Buffer, unknown>) => {
        void this.duplex(method, handler as DuplexHandler, call);
      };
    if (method.responseStream)
      return (call: ServerWritableStream<Buffer, unknown>) => {
        void this.stream(method, handler as StreamHandler, call);
      };
    return (call: ServerUnaryCall<Buffer, unknown>, callback: sendUnaryData<unknown>) => {
      void this.unary(method, handler as UnaryHandler, call, callback);
    };
  }

  private decode(method: MethodDefinition<unknown, unknown>, bytes: Buffer): never {
    this.options.rules.check(method.path, bytes);
    return method.requestDeserialize(bytes) as never;
  }

  private error(method: MethodDefinition<unknown, unknown>, error: unknown) {
    return toServiceError(error, method.path, this.options.logger, this.options.random);
  }

  private async unary(
    method: MethodDefinition<unknown, unknown>,
    handler: UnaryHandler,
    call: ServerUnaryCall<Buffer, unknown>,
    callback: sendUnaryData<unknown>,
  ): Promise<void> {
    try {
      const identity = await authenticate(method.path, call, this.options.devices, this.options.tokens);
      callback(null, await handler(this.decode(method, call.request), identity));
    } catch (error) {
      callback(this.error(method, error));
    }
  }

  private async stream(
    method: MethodDefinition<unknown, unknown>,
    handler: StreamHandler,
    call: ServerWritableStream<Buffer, unknown>,
  ): Promise<void> {
    const abort = new AbortController();
    const again = (): Promise<Identity> => authenticate(method.path, call, this.options.devices, this.options.tokens);
    const fail = (error: unknown): void => {
      abort.abort();
      call.destroy(this.error(method, error));
    };
    const watcher = {
      recheck: () => {
        void again().catch(fail);
      },
    };
    call.on('cancelled', () => {
      abort.abort();
    });
    try {
      const identity = await again();
      this.watchers.add(watcher);
      const send = (response: unknown): Promise<void> => {
        if (abort.signal.aborted || call.write(response)) return Promise.resolve();
        return new Promise((resolve) => {
          call.once('drain', resolve);
          call.once('cancelled', resolve);
        });
      };
      await handler(this.decode(method, call.request), identity, { send: send, signal: abort.signal });
      if (!abort.signal.aborted) call.end();
    } catch (error) {
      fail(error);
    } finally {
      this.watchers.delete(watcher);
    }
  }

  private async duplex(
    method: MethodDefinition<unknown, unknown>,
    handler: DuplexHandler,
    call: ServerDuplexStream<Buffer, unknown>,
  ): Promise<void> {
    // Nothing may be lost between the first message and the listener that the handler adds.
    call.pause();
    const fail = (error: unknown): void => {
      call.destroy(this.error(method, error));
    };
    try {
      const identity = await authenticate(method.path, call, this.options.devices, this.options.tokens);
      handler({ call: call, identity, decode: (bytes) => this.decode(method, bytes), fail });
      call.resume();
    } catch (error) {
      fail(error);
    }
  }
}
