import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { TargetGuard } from './target-guard.js';

/** What the other side answered; the body cut at a limit. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Something to post. */
export interface HttpPosting {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/** No whole answer came. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';

  constructor(
    /** Whether a connection stood, so that the other side may have taken what was posted. */
    readonly connected: boolean,
    cause: Error,
  ) {
    super(cause.message === '' ? cause.name : cause.message, { cause });
  }
}

/** Of an answer, this much is read. */
const LONGEST_ANSWER = 16_384;

/** Posts over a connection of its own, and follows no redirect. */
export class HttpPoster {
  constructor(
    private readonly guard: TargetGuard,
    /** PEM certificates instead of those of the system; undefined for the system's. */
    private readonly ca: string | undefined,
  ) {}

  /** Resolves with the whole answer, whatever its status. Errors: NoAnswer, also with TARGET_NOT_ALLOWED as its cause. */
  post({ url, headers, body, signal }: HttpPosting): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      let connected = false;
      const fail = (cause: unknown): void => reject(new NoAnswer(connected, cause as Error));
      try {
        this.guard.checkLiteral(url.hostname);
      } catch (error) {
        fail(error);
        return;
      }
      const secure = url.protocol === 'https:';
      const options: RequestOptions = {
        method: 'POST',
        agent: false,
        lookup: this.guard.lookup,
        signal,
        headers: { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' },
      };
      const request = secure
        ? httpsRequest(url, { ...options, ...(this.ca === undefined ? {} : { ca: this.ca }) })
        : httpRequest(url, options);
      request.once('socket', (socket) => {
        socket.once(secure ? 'secureConnect' : 'connect', () => (connected = true));
      });
      request.once('error', fail);
      request.once('response', (response) => {
        let text = '';
        const answer = (): void =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text.slice(0, LONGEST_ANSWER) });
        response.setEncoding('utf8');
        response.once('error', fail);
        response.on('data', (piece: string) => {
          text += piece;
          if (text.length < LONGEST_ANSWER) return;
          answer();
          request.destroy();
        });
        response.once('end', () => {
          if (response.complete) answer();
          else fail(new Error('the answer ended in the middle'));
        });
      });
      request.end(body);
    });
  }
}
