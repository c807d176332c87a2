import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { HttpExchange } from './http-exchange.js';
import { PAGE_POLICY } from './security-headers.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
};
/** What shrinks when packed. */
const PACKED = /\.(html|js|css|svg|json|webmanifest|txt)$/;

const NOT_BUILT = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Curfew</title></head>
<body><h1>Curfew</h1>
<p>The server runs, but its console has not been built. In a checkout: <code>npm run build</code>, then
start the server again. The API is here: <code>POST /api/&lt;package&gt;.&lt;Service&gt;/&lt;Method&gt;</code>.</p>
</body></html>
`;

interface ConsoleFile {
  readonly type: string;
  readonly bytes: Buffer;
  /** Packed at the first wish for it, and kept. */
  readonly packed: () => Buffer | undefined;
  readonly etag: string;
  readonly cacheControl: string;
}

/** The built console, read once: nothing that a browser asks for ever becomes a path on this machine. */
export class ConsoleFiles {
  private readonly files = new Map<string, ConsoleFile>();
  private readonly index: ConsoleFile;

  /** `folder` holds index.html and assets/; it may be missing. */
  constructor(folder: string) {
    if (existsSync(folder))
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const file = path.join(entry.parentPath, entry.name);
        const url = `/${path.relative(folder, file).split(path.sep).join('/')}`;
        this.files.set(url, readFile(url, readFileSync(file)));
      }
    this.index = this.files.get('/index.html') ?? readFile('/index.html', Buffer.from(NOT_BUILT));
    this.files.set('/index.html', this.index);
  }

  /** Answers GET and HEAD for a file or a page of the console. False when there is none at this path. */
  answer(exchange: HttpExchange): boolean {
    const file = this.files.get(exchange.path) ?? (isPage(exchange.path) ? this.index : undefined);
    if (file === undefined) return false;
    const { request, response } = exchange;
    const unchanged = exchange.header('if-none-match') === file.etag;
    const packed = /\bgzip\b/.test(exchange.header('accept-encoding') ?? '') ? file.packed() : undefined;
    const bytes = packed ?? file.bytes;
    response.setHeader('etag', file.etag);
    response.setHeader('cache-control', file.cacheControl);
    response.setHeader('vary', 'accept-encoding');
    if (file === this.index) response.setHeader('content-security-policy', PAGE_POLICY);
    if (unchanged) {
      exchange.empty(304);
      return true;
    }
    response.writeHead(200, {
      'content-type': file.type,
      'content-length': bytes.length,
      ...(packed === undefined ? {} : { 'content-encoding': 'gzip' }),
    });
    response.end(request.method === 'HEAD' ? undefined : bytes);
    return true;
  }
}

/** Whether a path is one of the console's own pages, which it tells apart itself. */
const isPage = (url: string): boolean =>
  !/^\/(\/|(api|auth|assets)(\/|$))/.test(url) && !/\.[a-z0-9]+$/i.test(url) && /^\/[\w/.@%~-]*$/.test(url);

function readFile(url: string, bytes: Buffer): ConsoleFile {
  const shrinks = PACKED.test(url) && bytes.length > 1_000;
  let packed: Buffer | undefined;
  return {
    type: TYPES[path.extname(url)] ?? 'application/octet-stream',
    bytes,
    packed: () => (shrinks ? (packed ??= gzipSync(bytes)) : undefined),
    etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
    // What is in assets/ has a hash in its name; everything else may be another tomorrow.
    cacheControl: url.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
  };
}
