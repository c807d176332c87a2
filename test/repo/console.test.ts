import { METHOD_ACCESS } from '@curfew/server';
import { METHOD_ROLES } from '@curfew/console/fake-api';
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const CONSOLE = fileURLToPath(new URL('../../../server/console/', import.meta.url));
const DIST = path.join(CONSOLE, 'dist');

/** What a first visit to Active Sessions may load of script, packed. */
const MOST_SCRIPT_BYTES = 300_000;

interface Chunk {
  readonly file: string;
  readonly imports?: readonly string[];
}

describe('the built console', () => {
  const read = (file: string): string => readFileSync(path.join(DIST, file), 'utf8');

  it(`loads less than ${MOST_SCRIPT_BYTES / 1000} kB of packed script for Active Sessions`, () => {
    const manifest = JSON.parse(read('manifest.json')) as Record<string, Chunk>;
    const files = new Set(['theme.js']);
    const add = (name: string): void => {
      const chunk = manifest[name];
      assert.ok(chunk, `no ${name} in the manifest`);
      if (files.has(chunk.file)) return;
      files.add(chunk.file);
      for (const one of chunk.imports ?? []) add(one);
    };
    add('index.html');
    add('src/pages/sessions/sessions-page.tsx');
    const bytes = [...files].reduce((sum, file) => sum + gzipSync(readFileSync(path.join(DIST, file))).length, 0);
    assert.ok(bytes < MOST_SCRIPT_BYTES, `${bytes} bytes in ${[...files].join(', ')}`);
    assert.ok(bytes > 50_000, `only ${bytes} bytes: the manifest is read wrongly`);
  });

  it('has no script, style or handler inside its page', () => {
    const page = read('index.html');
    assert.doesNotMatch(page, /<style|style=|\son[a-z]+=|javascript:/i);
    for (const [tag] of page.matchAll(/<script[^>]*>/g)) assert.match(tag, /src="\//);
  });

  it('asks no other host for anything', () => {
    const page = read('index.html');
    assert.doesNotMatch(page, /(?:src|href)="(?!\/)/);
    for (const file of readdirSync(path.join(DIST, 'assets')).filter((name) => name.endsWith('.css')))
      assert.doesNotMatch(read(`assets/${file}`), /url\(["']?(?:https?:)?\/\/|@import/);
  });

  it('holds nothing of the fake API, and nothing that needs Node', () => {
    assert.ok(existsSync(path.join(DIST, 'assets')));
    for (const file of readdirSync(path.join(DIST, 'assets')).filter((name) => name.endsWith('.js'))) {
      const text = read(`assets/${file}`);
      assert.ok(!text.includes('correct horse battery'), file);
      assert.ok(!text.includes('__vite-browser-external'), file);
    }
  });
});

describe('the console’s list of who may call what', () => {
  it('is that of the server', () => {
    const server = [...METHOD_ACCESS]
      .filter(([method]) => method.startsWith('/curfew.admin.v1.'))
      .map(([method, role]) => [method.replace('/curfew.admin.v1.', ''), role]);
    assert.deepEqual(Object.fromEntries(server.sort()), Object.fromEntries(Object.entries(METHOD_ROLES).sort()));
  });
});
