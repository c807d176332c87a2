import http from 'node:http';
import https from 'node:https';

/** What an HTTP server answered. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  /** The text as JSON; undefined when it is none. */
  readonly json: Record<string, unknown> | undefined;
}

export interface HttpWish {
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string | Buffer;
}

/** What the console's own page sends along. */
export const OWN_PAGE = { 'content-type': 'application/json', 'x-curfew': 'console', 'sec-fetch-site': 'same-origin' };

/** A browser as far as the server can tell: it keeps cookies and can be told to lie about everything else. */
export class HttpClient {
  readonly cookies = new Map<string, string>();

  /** `origin` is scheme, host and port. */
  constructor(
    readonly origin: string,
    private readonly ca?: string,
  ) {}

  /** Sends exactly this; the cookies go along unless a cookie header is given. */
  async send(path: string, wish: HttpWish = {}): Promise<HttpAnswer> {
    const response = await this.open(path, wish);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    return { status: response.statusCode ?? 0, headers: response.headers, text, json: asJson(text) };
  }

  /** The same, resolved as soon as the answer begins. */
  open(path: string, { method = 'GET', headers = {}, body }: HttpWish = {}): Promise<http.IncomingMessage> {
    const { request } = this.origin.startsWith('https:') ? https : http;
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const all = { ...(cookie === '' ? {} : { cookie }), ...headers };
    return new Promise((resolve, reject) => {
      const call = request(
        new URL(path, this.origin),
        { method, headers: all, agent: false, ca: this.ca, servername: 'localhost' },
        (response) => {
          for (const line of response.headers['set-cookie'] ?? []) this.keep(line);
          resolve(response);
        },
      );
      call.once('error', reject);
      call.end(body);
    });
  }

  /** Posts JSON as the console's own page does. */
  post(path: string, body: unknown, headers: http.OutgoingHttpHeaders = {}): Promise<HttpAnswer> {
    const all = { ...OWN_PAGE, origin: this.origin, ...headers };
    return this.send(path, { method: 'POST', headers: all, body: JSON.stringify(body) });
  }

  /** Calls a method of the API, such as 'UserService/GetMe', as the console's own page does. */
  call(method: string, body: unknown = {}, headers: http.OutgoingHttpHeaders = {}): Promise<HttpAnswer> {
    return this.post(`/api/curfew.admin.v1.${method}`, body, headers);
  }

  signIn(name: string, password: string, code?: string): Promise<HttpAnswer> {
    return this.post('/auth/login', { name, password, ...(code === undefined ? {} : { code }) });
  }

  private keep(line: string): void {
    const [pair = '', ...rules] = line.split('; ');
    const at = pair.indexOf('=');
    if (rules.includes('Max-Age=0')) this.cookies.delete(pair.slice(0, at));
    else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
}

function asJson(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** The messages of a stream of JSON lines, as they come. */
export class LinesReader {
  readonly messages: Record<string, unknown>[] = [];
  /** Empty lines: signs of life. */
  alive = 0;
  ended = false;
  private rest = '';

  constructor(readonly response: http.IncomingMessage) {
    response.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.rest + text).split('\n');
      this.rest = lines.pop() ?? '';
      for (const line of lines)
        if (line === '') this.alive += 1;
        else this.messages.push(JSON.parse(line) as Record<string, unknown>);
    });
    response.on('error', () => undefined);
    response.once('close', () => (this.ended = true));
  }
}
