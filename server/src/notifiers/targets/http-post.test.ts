import { CurfewError } from '@curfew/shared';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { HttpPoster, NoAnswer, type HttpAnswer } from './http-post.js';
import { systemResolve, TargetGuard, type Resolve } from './target-guard.js';

/** Ways to write this very machine. What each becomes is for the URL parser, the resolver and the guard to say. */
const OWN_HOSTS = [
  '127.0.0.1',
  '127.1',
  '127.0.0.1.',
  '0177.0.0.1',
  '0x7f.1',
  '0x7f000001',
  '2130706433',
  '017700000001',
  '0',
  '0.0.0.0',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:ffff:127.0.0.1]',
  '[::127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  'localhost',
  'LOCALHOST',
  '１２７.0.0.1',
] as const;

const ELSEWHERE = { address: '203.0.113.7', family: 4 };
const HERE = { address: '127.0.0.1', family: 4 };

describe('posting to a target', () => {
  let server: Server;
  let port: number;
  let calls: string[];
  let respond: (request: IncomingMessage, response: ServerResponse) => void;

  before(async () => {
    server = createServer((request, response) => {
      calls.push(`${request.method ?? ''} ${request.url ?? ''}`);
      respond(request, response);
    }).listen(0);
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    calls = [];
    respond = (_, response) => void response.end('fine');
  });

  function post(url: string, allowLocal: boolean, resolve: Resolve = systemResolve): Promise<HttpAnswer> {
    const poster = new HttpPoster(new TargetGuard(allowLocal, resolve), undefined);
    return poster.post({ url: new URL(url), headers: {}, body: '{}', signal: new AbortController().signal });
  }
  const isNotAllowed = (error: unknown): boolean =>
    error instanceof NoAnswer &&
    !error.connected &&
    error.cause instanceof CurfewError &&
    error.cause.code === 'TARGET_NOT_ALLOWED';

  for (const host of OWN_HOSTS)
    it(`does not reach this machine as ${host}`, async () => {
      await assert.rejects(post(`http://${host}:${port}/`, false), isNotAllowed);
      assert.deepEqual(calls, []);
    });

  it('reaches this machine where that is allowed', async () => {
    assert.deepEqual((await post(`http://127.0.0.1:${port}/hook`, true)).body, 'fine');
    assert.equal((await post(`http://localhost:${port}/hook`, true)).status, 200);
    assert.deepEqual(calls, ['POST /hook', 'POST /hook']);
  });

  it('is not fooled by a name that is elsewhere when it is checked and here when it is used', async () => {
    let asked = 0;
    const rebinding: Resolve = async () => [asked++ === 0 ? ELSEWHERE : HERE];
    const guard = new TargetGuard(false, rebinding);
    await guard.checkHost('rebind.example.com');
    const poster = new HttpPoster(guard, undefined);
    const posting = { headers: {}, body: '', signal: new AbortController().signal };
    const url = new URL(`http://rebind.example.com:${port}/`);
    await assert.rejects(poster.post({ url, ...posting }), isNotAllowed);
    assert.deepEqual([asked, calls], [2, []]);
  });

  it('refuses a name of which one address among many is of this machine', async () => {
    const mixed: Resolve = async () => [ELSEWHERE, { address: '::ffff:127.0.0.1', family: 6 }];
    await assert.rejects(post(`http://mixed.example.com:${port}/`, false, mixed), isNotAllowed);
    await assert.rejects(new TargetGuard(false, mixed).checkHost('mixed.example.com'), { code: 'TARGET_NOT_ALLOWED' });
    assert.deepEqual(calls, []);
  });

  it('accepts, when a target is chosen, a name that cannot be found at the moment', async () => {
    const lost: Resolve = () => Promise.reject(new Error('ENOTFOUND'));
    await new TargetGuard(false, lost).checkHost('later.example.com');
    await assert.rejects(post('http://later.example.com/', false, lost), (error: NoAnswer) => !error.connected);
  });

  it('follows no redirect', async () => {
    respond = (_, response) => void response.writeHead(307, { location: `http://127.0.0.1:${port}/inner` }).end();
    assert.equal((await post(`http://127.0.0.1:${port}/outer`, true)).status, 307);
    assert.deepEqual(calls, ['POST /outer']);
  });

  it('reads of a long answer no more than it needs', async () => {
    const endless = function* () {
      for (;;) yield 'x'.repeat(65_536);
    };
    respond = (_, response) => {
      response.on('error', () => undefined);
      Readable.from(endless()).pipe(response);
    };
    const { status, body } = await post(`http://127.0.0.1:${port}/`, true);
    assert.deepEqual([status, body.length], [200, 16_384]);
    server.closeAllConnections();
  });

  for (const [name, answer] of [
    ['a connection that is reset', (request: IncomingMessage) => void request.socket.resetAndDestroy()],
    ['half a status line', (request: IncomingMessage) => void request.socket.end('HTTP/1.1 20')],
    [
      'half a body',
      (request: IncomingMessage) => void request.socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'),
    ],
    [
      'half a piece',
      (request: IncomingMessage) =>
        void request.socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf'),
    ],
    ['no HTTP', (request: IncomingMessage) => void request.socket.end('220 mail.example.com ESMTP\r\n')],
  ] as const)
    it(`takes ${name} for no answer, of one who may have taken what was posted`, async () => {
      respond = answer;
      const isHalf = (error: unknown): boolean => error instanceof NoAnswer && error.connected;
      await assert.rejects(post(`http://127.0.0.1:${port}/`, true), isHalf);
      assert.equal(calls.length, 1);
    });

  it('knows a connection that never stood from one that broke', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port: free } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    await assert.rejects(post(`http://127.0.0.1:${free}/`, true), (error: NoAnswer) => !error.connected);
    await assert.rejects(post(`https://127.0.0.1:${port}/`, true), (error: NoAnswer) => !error.connected);
  });
});
