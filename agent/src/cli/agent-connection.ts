import * as grpc from '@grpc/grpc-js';
import {
  callFailure,
  CurfewError,
  durationMs,
  isCancelled,
  SECOND,
  sleep,
  type Clock,
  type DurationMs,
} from '@curfew/shared/cli';
import { agentSocket } from './agent-socket.js';
import type { PersonContext } from './person-context.js';

/** A method of the agent, as the generated code describes it. */
interface Method<Q, S> {
  readonly path: string;
  readonly requestSerialize: (value: Q) => Buffer;
  readonly responseDeserialize: (value: Buffer) => S;
}

const ANSWER_WITHIN = durationMs(30 * SECOND);
/** How long an agent that restarts is waited for, while its status is followed. */
const BACK_WITHIN = durationMs(30 * SECOND);
const PAUSE = durationMs(500);

/** A person's connection to the agent of this device. Errors of calls: CallFailure, AGENT_UNREACHABLE. */
export class AgentConnection {
  private readonly client: grpc.Client;

  constructor(
    path: string,
    private readonly clock: Clock,
  ) {
    this.client = new grpc.Client(`unix:${path}`, grpc.credentials.createInsecure(), {
      'grpc.default_authority': 'localhost',
      'grpc.initial_reconnect_backoff_ms': 200,
      'grpc.max_reconnect_backoff_ms': 1000,
    });
  }

  /** Calls once; `within` is how long the answer may take. */
  unary<Q, S>(method: Method<Q, S>, request: Q, within: DurationMs = ANSWER_WITHIN): Promise<S> {
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        { deadline: new Date(this.clock.now() + within) },
        (error, response) => {
          if (error !== null) reject(failure(error));
          else if (response === undefined) reject(new CurfewError('INTERNAL', { requestId: 'none' }));
          else resolve(response);
        },
      );
    });
  }

  /**
   * Follows a stream of whole states, over restarts of the agent too. Leaving the loop, or `stop`, cancels it. Errors:
   * as `unary`; an agent that was there and is not back within 30 s is unreachable.
   */
  async *follow<Q, S>(method: Method<Q, S>, request: Q, stop?: AbortSignal): AsyncGenerator<S> {
    let lastSeen: number | undefined;
    for (;;) {
      try {
        for await (const answer of this.stream(method, request, stop)) {
          yield answer;
          lastSeen = this.clock.bootTime();
        }
      } catch (error) {
        const gone = error instanceof CurfewError && error.code === 'AGENT_UNREACHABLE';
        if (!gone || lastSeen === undefined || this.clock.bootTime() - lastSeen > BACK_WITHIN) throw error;
      }
      if (stop?.aborted === true) return;
      await sleep(this.clock, PAUSE);
    }
  }

  private async *stream<Q, S>(method: Method<Q, S>, request: Q, stop?: AbortSignal): AsyncGenerator<S> {
    const { path, requestSerialize, responseDeserialize } = method;
    const call = this.client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
    const cancel = (): void => call.cancel();
    stop?.addEventListener('abort', cancel);
    if (stop?.aborted === true) cancel();
    try {
      for await (const answer of call) yield answer as S;
    } catch (error) {
      if (stop?.aborted === true && isCancelled(error)) return;
      throw failure(error);
    } finally {
      stop?.removeEventListener('abort', cancel);
      call.cancel();
    }
  }

  close(): void {
    this.client.close();
  }
}

function failure(error: unknown): Error {
  const told = callFailure(error, (detail) => new CurfewError('AGENT_UNREACHABLE', { detail }, { cause: error }));
  return told instanceof Error ? told : new Error(String(told));
}

/** Runs `work` with a connection to the agent, and closes it. */
export async function withAgent<T>(context: PersonContext, work: (agent: AgentConnection) => Promise<T>): Promise<T> {
  // There is no uid on Windows, where the socket is a pipe that the system guards.
  const agent = new AgentConnection(agentSocket(context.env, process.getuid?.() ?? 0), context.clock);
  try {
    return await work(agent);
  } finally {
    agent.close();
  }
}
