import { durationMs, type Clock } from '@curfew/shared';
import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { TargetGuard } from '../../notifiers/targets/target-guard.js';
import { ConnectorError } from '../connector.js';
import { brokenOff, failureOf, type FailedAnswer } from './http-failure.js';
import { jsonAddress, type JsonPath } from './json-address.js';

/** Where a client goes, and as whom. */
export interface JsonClientOptions {
  /** Everything that is asked for is below it. */
  readonly base: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the bodies that are sent. */
  readonly contentType: string;
  /** What must stand in no message. */
  readonly secrets: readonly string[];
  /** PEM certificates instead of those of the system; '' for the system's. */
  readonly ca: string;
  readonly guard: TargetGuard;
  readonly clock: Clock;
  /** How many connections there are at most. */
  readonly connections: number;
}

/** One call. `expect` names statuses besides 2xx that are answers and no failures. */
export interface JsonCall extends JsonPath {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly expect?: readonly number[];
}

/** A whole answer. `body` is parsed JSON, or undefined when there was none. */
export interface JsonAnswer extends FailedAnswer {
  readonly body: unknown;
}

/** From the call to the end of its answer. */
const ANSWER_LIMIT_MS = durationMs(20_000);
const LONGEST_ANSWER_BYTES = 32 * 1024 * 1024;

/**
 * JSON over HTTP for connectors. Connections go only where the guard allows, and are kept for the next call; no
 * redirect is followed. What it throws is a ConnectorError, without secrets.
 */
export class JsonClient {
  private readonly agent: HttpAgent;
  private readonly secure: boolean;

  constructor(private readonly options: JsonClientOptions) {
    const { base, ca, guard, connections } = options;
    this.secure = base.protocol === 'https:';
    const shared = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections, lookup: guard.lookup };
    this.agent = this.secure
      ? new HttpsAgent({ ...shared, minVersion: 'TLSv1.2', ...(ca === '' ? {} : { ca }) })
      : new HttpAgent(shared);
  }

  /**
   * Resolves with a whole answer of 2xx or of an expected status. A kept connection that the other side has closed is
   * made anew for a reading call; whether a writing one took effect is for the caller to find out.
   */
  async call(call: JsonCall, signal: AbortSignal): Promise<JsonAnswer> {
    const { base, guard, secrets } = this.options;
    if (isStopped(signal)) throw new ConnectorError('unreachable', 'told to stop');
    const url = jsonAddress(base, call);
    let answer: RawAnswer;
    try {
      guard.checkLiteral(url.hostname);
      answer = await this.exchange(url, call, signal).catch((error: unknown) => {
        if (!(error instanceof StaleConnection && call.method === 'GET')) throw error;
        return this.exchange(url, call, signal);
      });
    } catch (error) {
      if (isStopped(signal)) throw new ConnectorError('unreachable', `${base.host} has not answered in time`);
      throw brokenOff(base.host, error as Error, secrets);
    }
    const { status, headers } = answer;
    const body = parsed(answer.text);
    const whole = { host: base.host, status, headers, body };
    if (!(status >= 200 && status < 300) && call.expect?.includes(status) !== true) throw this.failure(whole);
    if (status < 300 && body === undefined && answer.text.trim() !== '')
      throw new ConnectorError('unreachable', `${base.host} answered HTTP ${status} with something that is no JSON`);
    return whole;
  }

  /** The error for an answer that was expected and turns out to be a failure. */
  failure(answer: JsonAnswer): ConnectorError {
    return failureOf(answer, this.options.secrets, this.options.clock.now());
  }

  /** Ends kept connections. */
  close(): void {
    this.agent.destroy();
  }

  private exchange(url: URL, { method, headers, body }: JsonCall, signal: AbortSignal): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const request = (this.secure ? httpsRequest : httpRequest)(url, {
        method,
        agent: this.agent,
        signal,
        headers: {
          'user-agent': 'curfew-server',
          ...this.options.headers,
          ...headers,
          ...(text === undefined
            ? {}
            : { 'content-type': this.options.contentType, 'content-length': Buffer.byteLength(text) }),
        },
      });
      const cancel = this.options.clock.after(ANSWER_LIMIT_MS, () => {
        request.destroy(new Error(`no whole answer within ${ANSWER_LIMIT_MS / 1000} s`));
      });
      request.on('error', (error) =>
        reject(isStale(request, error) ? new StaleConnection(error.message, { cause: error }) : error),
      );
      request.once('response', (response) => {
        readWhole(response).then(resolve, (error: unknown) => {
          request.destroy();
          reject(error instanceof Error ? error : new Error(String(error)));
        });
      });
      request.once('close', cancel);
      request.end(text);
    });
  }
}

const isStopped = (signal: AbortSignal): boolean => signal.aborted;

interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** A kept connection was closed by the other side, most likely before it saw the call. */
class StaleConnection extends Error {}

/** Node's documentation of `request.reusedSocket` says so. */
const isStale = (request: ClientRequest, error: Error): boolean =>
  request.reusedSocket && 'code' in error && ['ECONNRESET', 'EPIPE'].includes(String(error.code));

async function readWhole(response: IncomingMessage): Promise<RawAnswer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > LONGEST_ANSWER_BYTES) throw new Error(`the answer is longer than ${LONGEST_ANSWER_BYTES} bytes`);
  }
  if (!response.complete) throw new Error('the answer ended in the middle');
  return { status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
