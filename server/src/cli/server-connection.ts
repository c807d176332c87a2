import * as grpc from '@grpc/grpc-js';
import { callFailure, CurfewError, durationMs, isCancelled, type Clock, type DurationMs } from '@curfew/shared/cli';
import type { ConnectionSettings } from './connection-settings.js';
import { loadSettings } from './connection-settings.js';
import { globalFlags, type ToolContext } from './tool-context.js';
import type { Command } from 'commander';

/** A method of the API, as the generated code describes it. */
export interface Method<Q, S> {
  readonly path: string;
  readonly requestSerialize: (value: Q) => Buffer;
  readonly responseDeserialize: (value: Buffer) => S;
}

/** How long an answer is waited for, on top of what the call itself asks the server to wait. */
const ANSWER_WITHIN = durationMs(30_000);

/** The names that the server's certificate always has, whatever address it is reached by. */
const SERVER_NAME = 'curfew-server';

const SOUND_REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$/;

/** One connection of an operator to the server. Errors of calls: CallFailure, SERVER_UNREACHABLE, NOT_SIGNED_IN. */
export class ServerConnection {
  private readonly client: grpc.Client;
  private readonly metadata = new grpc.Metadata();

  constructor(
    private readonly settings: ConnectionSettings,
    private readonly clock: Clock,
    /** What the calls are called in the logs of server and devices; undefined leaves that to the server. */
    requestId?: string,
  ) {
    this.metadata.set('authorization', `Bearer ${settings.token}`);
    // The server would make its own of anything else, and gRPC would not even send some of it.
    if (SOUND_REQUEST_ID.test(requestId ?? '')) this.metadata.set('x-request-id', requestId ?? '');
    this.client = new grpc.Client(settings.server, grpc.credentials.createSsl(Buffer.from(settings.ca)), {
      'grpc.ssl_target_name_override': SERVER_NAME,
      'grpc.default_authority': SERVER_NAME,
      'grpc.keepalive_time_ms': 10_000,
      'grpc.keepalive_timeout_ms': 5_000,
      'grpc.max_receive_message_length': 64 * 1024 * 1024,
    });
  }

  /** HOST:PORT as it is called. */
  get address(): string {
    return this.settings.server;
  }

  /** Calls once. `serverWaits` is how long the server itself was asked to take. */
  unary<Q, S>(method: Method<Q, S>, request: Q, serverWaits: DurationMs = durationMs(0)): Promise<S> {
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        this.metadata,
        { deadline: new Date(this.clock.now() + ANSWER_WITHIN + serverWaits) },
        (error, response) => {
          if (error !== null) reject(this.failure(error));
          else if (response === undefined) reject(new CurfewError('INTERNAL', { requestId: 'none' }));
          else resolve(response);
        },
      );
    });
  }

  /** Calls for a stream of answers. Leaving the loop, or `stop`, cancels the call. */
  async *stream<Q, S>(method: Method<Q, S>, request: Q, stop?: AbortSignal): AsyncGenerator<S> {
    const call = this.client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      this.metadata,
    );
    const cancel = (): void => call.cancel();
    stop?.addEventListener('abort', cancel);
    if (stop?.aborted === true) cancel();
    try {
      for await (const answer of call) yield answer as S;
    } catch (error) {
      if (stop?.aborted === true && isCancelled(error)) return;
      throw this.failure(error);
    } finally {
      stop?.removeEventListener('abort', cancel);
      call.cancel();
    }
  }

  close(): void {
    this.client.close();
  }

  private failure(error: unknown): Error {
    const told = callFailure(error, (detail) => {
      const advice = /certificate|issuer/.test(detail)
        ? `${detail}: the CA at hand is not this server's; give --ca`
        : detail;
      return new CurfewError('SERVER_UNREACHABLE', { address: this.address, detail: advice }, { cause: error });
    });
    return told instanceof Error ? told : new Error(String(told));
  }
}

/** Runs `work` with a connection made from flags, environment and settings file, and closes it. */
export async function withServer<T>(
  context: ToolContext,
  command: Command,
  work: (server: ServerConnection) => Promise<T>,
): Promise<T> {
  const settings = await loadSettings(context, globalFlags(command));
  const server = new ServerConnection(settings, context.clock, context.env['CURFEW_REQUEST_ID']);
  try {
    return await work(server);
  } finally {
    server.close();
  }
}

/** Fetches every page of a list. */
export async function everyPage<S extends { nextPageToken: string }, T>(
  fetchPage: (pageToken: string) => Promise<S>,
  items: (page: S) => readonly T[],
): Promise<T[]> {
  const all: T[] = [];
  let token = '';
  do {
    const page = await fetchPage(token);
    all.push(...items(page));
    token = page.nextPageToken;
  } while (token !== '');
  return all;
}
