import * as grpc from '@grpc/grpc-js';
import { readFileSync } from 'node:fs';

/** A method, as the generated code describes it. */
export interface Method<Q, S> {
  readonly path: string;
  readonly requestSerialize: (value: Q) => Buffer;
  readonly responseDeserialize: (value: Buffer) => S;
}

/** Who calls: an API token, a client certificate, both or neither. */
export interface ApiCaller {
  readonly token?: string;
  /** PEM. */
  readonly certificate?: string;
  /** PEM. */
  readonly key?: string;
}

/** How a call was refused. `code` is '' when the answer was not worded by Curfew. */
export interface Refusal {
  readonly status: string;
  readonly code: string;
  readonly text: string;
}

const OPTIONS = {
  'grpc.ssl_target_name_override': 'curfew-server',
  'grpc.default_authority': 'curfew-server',
  // Each client dials for itself, so that nobody's certificate is used for somebody else.
  'grpc.use_local_subchannel_pool': 1,
  // A server that was away is found soon after it is back.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
};

/** A caller of the real gRPC API. Errors of calls: those of gRPC. */
export class ApiClient {
  private readonly client: grpc.Client;
  private readonly metadata = new grpc.Metadata();

  constructor(address: string, caFile: string, caller: ApiCaller = {}) {
    const pem = (text: string | undefined): Buffer | null => (text === undefined ? null : Buffer.from(text));
    const credentials = grpc.credentials.createSsl(readFileSync(caFile), pem(caller.key), pem(caller.certificate));
    this.client = new grpc.Client(address, credentials, OPTIONS);
    if (caller.token !== undefined) this.metadata.set('authorization', `Bearer ${caller.token}`);
  }

  unary<Q, S>(method: Method<Q, S>, request: Q): Promise<S> {
    return this.bytes(method.path, method.requestSerialize(request)).then((answer) =>
      method.responseDeserialize(answer),
    );
  }

  /** Calls a method with the exact bytes of a message. */
  bytes(path: string, request: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const same = (bytes: Buffer): Buffer => bytes;
      const options = { deadline: Date.now() + 20_000 };
      this.client.makeUnaryRequest(path, same, same, request, this.metadata, options, (error, answer) => {
        if (error === null && answer !== undefined) resolve(answer);
        else reject(error ?? new Error('no answer'));
      });
    });
  }

  /** Opens a stream in both directions, of bytes. The caller listens to its errors. */
  duplex(path: string): grpc.ClientDuplexStream<Buffer, Buffer> {
    const same = (bytes: Buffer): Buffer => bytes;
    return this.client.makeBidiStreamRequest(path, same, same, this.metadata);
  }

  /** Opens a stream of answers, of bytes. The caller listens to its errors. */
  stream(path: string, request: Buffer): grpc.ClientReadableStream<Buffer> {
    const same = (bytes: Buffer): Buffer => bytes;
    return this.client.makeServerStreamRequest(path, same, same, request, this.metadata);
  }

  close(): void {
    this.client.close();
  }
}

/** How a call ended: undefined when it was answered. */
export async function refusalOf(work: Promise<unknown>): Promise<Refusal | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return asRefusal(error as grpc.ServiceError);
  }
}

export function asRefusal(error: Partial<grpc.ServiceError>): Refusal {
  if (error.code === undefined) throw error as Error;
  const code = String(error.metadata?.get('curfew-error-code')[0] ?? '');
  return { status: grpc.status[error.code], code, text: error.details ?? '' };
}
