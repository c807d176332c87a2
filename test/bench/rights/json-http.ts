import { Agent, request, type OutgoingHttpHeaders } from 'node:http';

/** A whole answer; `body` is undefined when it was empty. */
export interface PlainAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** JSON over one kept HTTP connection, as short as Node lets it be. */
export class JsonHttp {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(
    private readonly base: string,
    private readonly headers: OutgoingHttpHeaders,
  ) {}

  call(method: string, path: string, body?: unknown, more: OutgoingHttpHeaders = {}): Promise<PlainAnswer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const length = text === undefined ? {} : { 'content-length': Buffer.byteLength(text) };
    return new Promise((resolve, reject) => {
      const headers = { ...this.headers, ...length, ...more };
      const sent = request(`${this.base}${path}`, { method, agent: this.agent, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const whole = Buffer.concat(chunks).toString();
          resolve({ status: answer.statusCode ?? 0, body: whole === '' ? undefined : (JSON.parse(whole) as unknown) });
        });
      });
      sent.on('error', reject);
      sent.end(text);
    });
  }

  close(): Promise<void> {
    this.agent.destroy();
    return Promise.resolve();
  }
}
