import http from 'node:http';
import https from 'node:https';
import { rootCertificates } from 'node:tls';
import { CallFailure, CurfewError, exitCodeOf, EXIT, isErrorCode } from '@curfew/shared/cli';

/** Answers are small. */
const LONGEST = 1_048_576;
const ANSWER_WITHIN_MS = 30_000;

/** Talks to the console's HTTP side. A cookie that it gets goes along with what follows. */
export class ConsoleClient {
  private cookie: string | undefined;

  /** `ca` is the server's own CA, trusted beside those of the system. */
  constructor(
    readonly origin: string,
    private readonly ca: string,
  ) {}

  /** Posts JSON. Errors: CallFailure with the server's code, SERVER_UNREACHABLE. */
  async post(path: string, body: object): Promise<Readonly<Record<string, unknown>>> {
    const { status, text, cookie } = await this.send(path, JSON.stringify(body));
    if (cookie !== undefined) this.cookie = cookie;
    const value = asObject(text);
    if (status >= 200 && status < 300) return value;
    const { code, message } = value;
    if (typeof code === 'string' && isErrorCode(code) && typeof message === 'string')
      throw new CallFailure(code, message, exitCodeOf(code));
    throw new CallFailure(`HTTP_${status}`, `${this.origin} answered as no console of Curfew does`, EXIT.refused);
  }

  private async send(
    path: string,
    body: string,
  ): Promise<{ status: number; text: string; cookie: string | undefined }> {
    try {
      const response = await this.request(path, body);
      const chunks: Buffer[] = [];
      let length = 0;
      for await (const chunk of response as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > LONGEST) throw new Error('the answer is too long');
        chunks.push(chunk);
      }
      const [cookie] = (response.headers['set-cookie'] ?? []).map((line) => line.split(';')[0]);
      return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8'), cookie };
    } catch (error) {
      throw new CurfewError(
        'SERVER_UNREACHABLE',
        { address: this.origin, detail: error instanceof Error ? error.message : String(error) },
        { cause: error },
      );
    }
  }

  private request(path: string, body: string): Promise<http.IncomingMessage> {
    const secure = this.origin.startsWith('https:');
    const headers = {
      'content-type': 'application/json',
      'x-curfew': 'curfewctl',
      origin: this.origin,
      'user-agent': 'curfewctl',
      ...(this.cookie === undefined ? {} : { cookie: this.cookie }),
    };
    return new Promise((resolve, reject) => {
      const options = { method: 'POST', headers, timeout: ANSWER_WITHIN_MS, agent: false } as const;
      const url = new URL(path, this.origin);
      const call = secure
        ? https.request(url, { ...options, ca: [this.ca, ...rootCertificates] }, resolve)
        : http.request(url, options, resolve);
      call.once('timeout', () => call.destroy(new Error('it did not answer in time')));
      call.once('error', reject);
      call.end(body);
    });
  }
}

function asObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
