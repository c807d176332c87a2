import type { IncomingMessage, ServerResponse } from 'node:http';

/** A way in which a service fails. */
export type HttpFault =
  /** Does nothing and answers this. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** Does nothing and resets the connection. */
  | { readonly kind: 'reset' }
  /** Does nothing and never answers. */
  | { readonly kind: 'hang' }
  /** Does what is asked, and the connection is lost before a word of the answer. */
  | { readonly kind: 'lose' }
  /** Does what is asked, and the connection is lost in the middle of the answer. */
  | { readonly kind: 'half' };

/** What a service was asked. */
export interface SeenCall {
  readonly method: string;
  /** Path and query as they came. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  /** Parsed; undefined when there was none. */
  readonly body: unknown;
}

/** Says how a call fails; undefined when it does not. */
export type FaultRule = (call: SeenCall) => HttpFault | undefined;

/** Puts a fault into an answer. Whether the service may go on with the call. */
export function letFail(fault: HttpFault | undefined, request: IncomingMessage, response: ServerResponse): boolean {
  switch (fault?.kind) {
    case undefined:
      return true;
    case 'answer':
      response.writeHead(fault.status, fault.headers).end(fault.body);
      return false;
    case 'reset':
      request.socket.resetAndDestroy();
      return false;
    case 'hang':
      return false;
    case 'lose':
      response.end = () => {
        request.socket.resetAndDestroy();
        return response;
      };
      return true;
    case 'half':
      response.end = () => {
        request.socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{"id": "');
        return response;
      };
      return true;
  }
}

/** The first calls that a rule fits fail, then no more. */
export function failFirst(count: number, fault: HttpFault, fits: (call: SeenCall) => boolean = () => true): FaultRule {
  let left = count;
  return (call) => (fits(call) && left-- > 0 ? fault : undefined);
}

/** The nth call from now on fails, and no other. `met` says whether it has come. */
export function failNth(n: number, fault: HttpFault): { readonly rule: FaultRule; readonly met: () => boolean } {
  let left = n;
  return { rule: () => (--left === 0 ? fault : undefined), met: () => left <= 0 };
}

/** Reads the JSON of a call's body. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}
