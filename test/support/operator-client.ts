import * as grpc from '@grpc/grpc-js';
import { callFailure, CurfewError } from '@curfew/shared/cli';
import { readFileSync } from 'node:fs';
import { CHANNEL_OPTIONS, type JoinedServer } from './scripted-device.js';

/** No call hangs for ever: longer than a revoke of any test waits for its device. */
const ANSWER_WITHIN_MS = 90_000;

/** A method of the API, as the generated code describes it. */
interface Method<Q, S> {
  readonly path: string;
  readonly requestSerialize: (value: Q) => Buffer;
  readonly responseDeserialize: (value: Buffer) => S;
}

/** An operator in the test process: calls the API with a token, without starting curfewctl for each call. */
export class OperatorClient {
  private readonly client: grpc.Client;

  constructor(protected readonly server: JoinedServer & { readonly ownerToken: string }) {
    this.client = new grpc.Client(
      server.address,
      grpc.credentials.createSsl(readFileSync(server.caFile)),
      CHANNEL_OPTIONS,
    );
  }

  /**
   * Calls once; waits for a server that is about to listen, unless told not to. Errors: with the server's code;
   * SERVER_UNREACHABLE when it gave no answer.
   */
  call<Q, S>(method: Method<Q, S>, request: Q, waitForReady = true): Promise<S> {
    const metadata = new grpc.Metadata({ waitForReady });
    metadata.set('authorization', `Bearer ${this.server.ownerToken}`);
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        metadata,
        { deadline: Date.now() + ANSWER_WITHIN_MS },
        (error, answer) => {
          if (answer !== undefined) resolve(answer);
          else reject(this.failure(error));
        },
      );
    });
  }

  private failure(error: unknown): Error {
    const unreachable = (detail: string): CurfewError =>
      new CurfewError('SERVER_UNREACHABLE', { address: this.server.address, detail });
    return callFailure(error, unreachable) as Error;
  }

  close(): void {
    this.client.close();
  }
}
