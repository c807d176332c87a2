import { durationMs, type BootMs, type Clock } from '@curfew/shared/browser';
import type { CallMethods, WatchMethods } from '../gen/api.js';
import { ApiError, connectionLost } from './api-error.js';
import { LineCutter } from './json-lines.js';

/** What the client needs of the page. */
export interface ApiClientParts {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  /** Called with each answer's `Date` and the moments of sending and receiving. */
  readonly onDate: (dateMs: number, sent: BootMs, received: BootMs) => void;
  /** Called when the server says that nobody is signed in any more, or that the person may less than the page knew. */
  readonly onOtherCaller: () => void;
}

/** Sent with everything that changes something: a page of another site cannot set it without being asked about it. */
const HEADERS = { 'content-type': 'application/json', 'x-curfew': 'console' } as const;

/** After so long without an answer to a question the link counts as lost, as for a stream that is silent. */
const LONGEST_QUESTION_MS = 25_000;

/** The server's API, typed from its schema. Everything that is refused is thrown as an ApiError. */
export class ApiClient {
  constructor(private readonly parts: ApiClientParts) {}

  /** Calls a method that is answered once. */
  async call<M extends keyof CallMethods>(
    method: M,
    request: CallMethods[M]['request'],
    signal?: AbortSignal,
  ): Promise<CallMethods[M]['response']> {
    const answer = await this.post(`/api/curfew.admin.v1.${method}`, request, signal);
    return (await answer.json()) as CallMethods[M]['response'];
  }

  /** Calls a method that only reads: one that nobody answers is lost, and may be asked again. Errors: CONNECTION_LOST. */
  async ask<M extends keyof CallMethods>(
    method: M,
    request: CallMethods[M]['request'],
    signal: AbortSignal,
  ): Promise<CallMethods[M]['response']> {
    const late = new AbortController();
    const cancel = this.parts.clock.after(durationMs(LONGEST_QUESTION_MS), () => late.abort());
    try {
      return await this.call(method, request, AbortSignal.any([signal, late.signal]));
    } catch (error) {
      throw late.signal.aborted && !signal.aborted ? connectionLost() : error;
    } finally {
      cancel();
    }
  }

  /**
   * Calls a method that goes on answering and hands on each message; `onLife` is called whenever anything at all has
   * arrived. Returns when the server ends the stream and throws when the link breaks.
   */
  async stream<M extends keyof WatchMethods>(
    method: M,
    request: WatchMethods[M]['request'],
    signal: AbortSignal,
    onMessage: (message: WatchMethods[M]['response']) => void,
    onLife: () => void = () => undefined,
  ): Promise<void> {
    const answer = await this.post(`/api/curfew.admin.v1.${method}`, request, signal);
    if (answer.body === null) return;
    const reader = answer.body.getReader();
    const decoder = new TextDecoder();
    const cutter = new LineCutter();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onLife();
      for (const line of cutter.push(decoder.decode(value, { stream: true }))) {
        const message = JSON.parse(line) as WatchMethods[M]['response'] & { error?: { code: string; message: string } };
        if (message.error !== undefined) throw this.refused(message.error, 200, undefined);
        onMessage(message);
      }
    }
  }

  /** Sends a JSON body to a path of the server's own, such as '/auth/login'. Gives undefined for an empty answer. */
  async postAuth<T>(path: string, body: unknown): Promise<T> {
    const answer = await this.post(path, body, undefined);
    return (answer.status === 204 ? undefined : await answer.json()) as T;
  }

  /** Gets JSON from a path of the server's own. */
  async getAuth<T>(path: string): Promise<T> {
    const answer = await this.send(path, { method: 'GET', headers: { 'x-curfew': 'console' } });
    return (await answer.json()) as T;
  }

  private post(path: string, body: unknown, signal: AbortSignal | undefined): Promise<Response> {
    const init = { method: 'POST', headers: HEADERS, body: JSON.stringify(body) };
    return this.send(path, signal === undefined ? init : { ...init, signal });
  }

  private async send(path: string, init: RequestInit): Promise<Response> {
    const sent = this.parts.clock.bootTime();
    let answer: Response;
    try {
      answer = await this.parts.fetch(path, { ...init, credentials: 'same-origin', cache: 'no-store' });
    } catch (cause) {
      if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
      throw connectionLost();
    }
    const date = answer.headers.get('date');
    if (date !== null) this.parts.onDate(Date.parse(date), sent, this.parts.clock.bootTime());
    if (answer.ok) return answer;
    const retryAfter = Number(answer.headers.get('retry-after') ?? Number.NaN);
    throw this.refused(await readError(answer), answer.status, Number.isFinite(retryAfter) ? retryAfter : undefined);
  }

  private refused(error: ErrorBody, status: number, retryAfterSeconds: number | undefined): ApiError {
    if (error.code === 'NOT_SIGNED_IN' || error.code === 'METHOD_NOT_ALLOWED') this.parts.onOtherCaller();
    return new ApiError(error.code, error.message, error.field, status, retryAfterSeconds);
  }
}

interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly field?: string | undefined;
}

/** The error that an answer holds. Something between the page and the server may have answered in its own words. */
async function readError(answer: Response): Promise<ErrorBody> {
  try {
    const body = (await answer.json()) as Partial<ErrorBody>;
    if (typeof body.code === 'string' && typeof body.message === 'string') return body as ErrorBody;
  } catch {
    // Not JSON: not from the server.
  }
  const unreachable = answer.status >= 502 && answer.status <= 504;
  return unreachable
    ? connectionLost()
    : { code: 'UNEXPECTED_ANSWER', message: `the server answered with status ${answer.status} and no reason` };
}
