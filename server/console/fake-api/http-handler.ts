import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from './caller.js';
import { isCallMethod, isWatchMethod, type FakeApi } from './fake-api.js';
import { Refusal, refuse } from './refusal.js';
import { FakeSignIn } from './sign-in.js';

const COOKIE = 'curfew-fake';
const ALIVE_MS = 10_000;
const LARGEST_BODY = 4_000_000;

/** What the handler answers, and switches that tests turn. */
export interface FakeHandler {
  /** Answers a request of the API or of the sign-in. Gives false for everything else. */
  (request: IncomingMessage, response: ServerResponse): boolean;
  readonly signIn: FakeSignIn;
}

/** The fake API over HTTP, as the server speaks it. */
export function createFakeHandler(api: FakeApi): FakeHandler {
  const signIn = new FakeSignIn(api.world);
  const handler = (request: IncomingMessage, response: ServerResponse): boolean => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (!path.startsWith('/api/') && !path.startsWith('/auth/')) return false;
    answer(api, signIn, path, request, response).catch((error: unknown) => sendError(response, error));
    return true;
  };
  return Object.assign(handler, { signIn });
}

async function answer(
  api: FakeApi,
  signIn: FakeSignIn,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const bearer = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
  const caller = bearer === undefined ? signIn.callerOf(cookieOf(request)) : signIn.callerOfToken(bearer);
  if (request.method === 'GET') {
    answerGet(api, signIn, path, request, response, caller);
    return;
  }
  const isOwnPage = request.headers['x-curfew'] === 'console' && request.headers['content-type'] === 'application/json';
  if (bearer === undefined && !isOwnPage) throw refuse('CROSS_SITE', { problem: 'a header of it is missing' });
  const body = await readBody(request);
  if (path.startsWith('/auth/')) answerAuth(signIn, path, body, request, response, caller);
  else answerApi(api, path.replace('/api/curfew.admin.v1.', ''), body, response, caller);
}

function answerGet(
  api: FakeApi,
  signIn: FakeSignIn,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  caller: Caller | undefined,
): void {
  if (path === '/auth/state') {
    sendJson(response, signIn.state(caller));
    return;
  }
  if (path !== '/auth/oidc/start') throw new Refusal('NOT_FOUND', 'there is nothing here', 404);
  // The provider knows one person, and needs no proof.
  const user = [...api.world.users.values()].find(({ name }) => name === 'alice');
  const next = new URL(request.url ?? '/', 'http://localhost').searchParams.get('next') ?? '/';
  setCookie(response, signIn.begin(user?.id ?? '', 'oidc', request.headers['user-agent'] ?? ''));
  response.writeHead(302, { location: /^\/(?![/\\])/.test(next) ? next : '/' }).end();
}

function answerAuth(
  signIn: FakeSignIn,
  path: string,
  body: Readonly<Record<string, unknown>>,
  request: IncomingMessage,
  response: ServerResponse,
  caller: Caller | undefined,
): void {
  const text = (name: string): string => (typeof body[name] === 'string' ? body[name] : '');
  if (path === '/auth/login') {
    const id = signIn.signIn(text('name'), text('password'), text('code'), request.headers['user-agent'] ?? '');
    setCookie(response, id);
    sendJson(response, signIn.state(signIn.callerOf(id)));
    return;
  }
  if (path === '/auth/device/code') {
    const userCode = signIn.beginDevice(text('client'), request.socket.remoteAddress ?? '');
    sendJson(response, { userCode });
    return;
  }
  if (caller === undefined) throw refuse('NOT_SIGNED_IN');
  if (path === '/auth/logout') {
    signIn.end(caller);
    setCookie(response, '');
    response.writeHead(204).end();
  } else if (path === '/auth/fresh') {
    signIn.prove(caller, text('password'), text('code'));
    sendJson(response, signIn.state(caller));
  } else if (path === '/auth/device/show') {
    sendJson(response, signIn.showDevice(text('userCode')));
  } else if (path === '/auth/device/approve') {
    signIn.decideDevice(text('userCode'), body['approve'] === true);
    response.writeHead(204).end();
  } else throw new Refusal('NOT_FOUND', 'there is nothing here', 404);
}

function answerApi(
  api: FakeApi,
  method: string,
  body: Readonly<Record<string, unknown>>,
  response: ServerResponse,
  caller: Caller | undefined,
): void {
  if (isCallMethod(method)) {
    sendJson(response, api.call(method, body, caller));
    return;
  }
  if (!isWatchMethod(method)) throw new Refusal('NOT_FOUND', `no method ${method}`, 404);
  // Refused before the head is sent: who may not watch is answered as for every other method.
  const lines: string[] = [];
  let open = false;
  let over = false;
  const write = (line: string): void => {
    if (open) response.write(line);
    else lines.push(line);
  };
  const end = (): void => {
    over = true;
    response.end();
  };
  const stop = api.watch(method, body, caller, (message) => write(`${JSON.stringify(message)}\n`), end);
  response.writeHead(200, { 'content-type': 'application/jsonl', 'cache-control': 'no-store' });
  response.write(`${lines.join('')}\n`);
  open = true;
  if (stop === undefined) {
    response.end();
    return;
  }
  const alive = (): void => {
    if (over) return;
    response.write('\n');
    api.world.later(ALIVE_MS, alive);
  };
  api.world.later(ALIVE_MS, alive);
  response.once('close', () => {
    over = true;
    stop();
  });
}

function sendJson(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

function sendError(response: ServerResponse, error: unknown): void {
  const refusal = error instanceof Refusal ? error : new Refusal('INTERNAL', `internal error: ${String(error)}`, 500);
  if (response.headersSent) {
    response.end(`${JSON.stringify({ error: { code: refusal.code, message: refusal.message } })}\n`);
    return;
  }
  const retry = refusal.retryAfterSeconds === undefined ? {} : { 'retry-after': String(refusal.retryAfterSeconds) };
  response.writeHead(refusal.httpStatus, { 'content-type': 'application/json', ...retry });
  response.end(JSON.stringify({ code: refusal.code, message: refusal.message, field: refusal.field }));
}

async function readBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.length > LARGEST_BODY) throw new Refusal('FIELD_INVALID', 'body: is too large', 400, 'body');
  }
  try {
    const body = JSON.parse(text === '' ? '{}' : text) as unknown;
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  } catch {
    // Refused below.
  }
  throw new Refusal('FIELD_INVALID', 'body: is not a JSON object', 400, 'body');
}

const cookieOf = (request: IncomingMessage): string | undefined =>
  new RegExp(`(?:^|; )${COOKIE}=([a-z0-9-]+)`).exec(request.headers.cookie ?? '')?.[1];

function setCookie(response: ServerResponse, value: string): void {
  response.setHeader(
    'set-cookie',
    `${COOKIE}=${value}; Path=/; HttpOnly; SameSite=Strict${value === '' ? '; Max-Age=0' : ''}`,
  );
}
