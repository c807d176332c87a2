import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ConsoleFiles } from './console-files.js';
import { HttpExchange } from './http-exchange.js';

const SCRIPT = `console.log('${'x'.repeat(2_000)}')`;

describe("the console's files", () => {
  let folder: string;
  let server: http.Server;
  let files: ConsoleFiles;

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-console-'));
    mkdirSync(path.join(folder, 'dist/assets'), { recursive: true });
    writeFileSync(path.join(folder, 'secret.txt'), 'secret');
    writeFileSync(path.join(folder, 'dist/index.html'), '<!doctype html><title>Curfew</title>');
    writeFileSync(path.join(folder, 'dist/assets/app-1a2b.js'), SCRIPT);
    files = new ConsoleFiles(path.join(folder, 'dist'));
    server = http.createServer((request, response) => {
      const url = request.url ?? '';
      if (
        !files.answer(new HttpExchange(request, response, url, new URLSearchParams(), 'http://localhost', 'request-1'))
      )
        response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  interface Answer {
    readonly status: number;
    readonly headers: http.IncomingHttpHeaders;
    readonly body: Buffer;
  }
  const get = (url: string, headers: http.OutgoingHttpHeaders = {}, method = 'GET'): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { port } = server.address() as AddressInfo;
      // `path` goes out as it is; a URL would tidy it up.
      http
        .request({ port, host: '127.0.0.1', path: url, method, headers, agent: false }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('end', () => {
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
          });
        })
        .once('error', reject)
        .end();
    });

  it('with a hash in their name are kept by browsers for ever, packed where that is wished', async () => {
    const plain = await get('/assets/app-1a2b.js');
    assert.equal(plain.body.toString(), SCRIPT);
    assert.equal(plain.headers['cache-control'], 'public, max-age=31536000, immutable');
    assert.equal(plain.headers['content-type'], 'text/javascript; charset=utf-8');
    const packed = await get('/assets/app-1a2b.js', { 'accept-encoding': 'br, gzip' });
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.ok(packed.body.length < 200);
    assert.equal(gunzipSync(packed.body).toString(), SCRIPT);
    const same = await get('/assets/app-1a2b.js', { 'if-none-match': plain.headers.etag });
    assert.deepEqual([same.status, same.body.length], [304, 0]);
  });

  it('let WebAssembly be compiled in pages, and no text become a script; in nothing else', async () => {
    for (const url of ['/', '/index.html', '/sessions/ses-01/recordings/rec-01'])
      assert.match(
        String((await get(url)).headers['content-security-policy']),
        /^default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; .*; frame-ancestors 'none'$/,
      );
    const again = await get('/', { 'if-none-match': (await get('/')).headers.etag });
    assert.equal(again.status, 304);
    assert.match(String(again.headers['content-security-policy']), /'wasm-unsafe-eval'/);
    assert.equal((await get('/assets/app-1a2b.js')).headers['content-security-policy'], undefined);
  });

  for (const url of ['/', '/sessions', '/requests/req-01', '/policies/on-call', '/device'])
    it(`are one page for every path of the console: ${url}`, async () => {
      const page = await get(url);
      assert.deepEqual([page.status, page.headers['cache-control']], [200, 'no-cache']);
      assert.match(page.body.toString(), /<title>Curfew/);
      const head = await get(url, {}, 'HEAD');
      assert.deepEqual([head.status, head.body.length], [200, 0]);
      assert.equal(head.headers['content-length'], String(page.body.length));
    });

  for (const url of [
    '/assets/none.js',
    '/favicon.ico',
    '/api/x',
    '/auth/x',
    '//etc/passwd',
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/..\\..\\secret.txt',
    '/secret.txt',
  ])
    it(`are nothing else: ${url}`, async () => {
      const answer = await get(url);
      assert.equal(answer.status, 404);
      assert.ok(!answer.body.includes('secret'));
    });

  it('that were never built are a page that says how', async () => {
    files = new ConsoleFiles(path.join(folder, 'nothing'));
    assert.match((await get('/sessions')).body.toString(), /has not been built.*npm run build/s);
  });
});
