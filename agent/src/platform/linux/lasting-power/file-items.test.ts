import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FileItems } from './file-items.js';
import type { WatchedPlace } from './watched-places.js';

const sha256 = (text: string): string => `sha256 ${createHash('sha256').update(text).digest('hex')}`;

describe('files as items', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-files-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const put = (name: string, text: string): string => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  };
  const place = (change: Partial<WatchedPlace> = {}): WatchedPlace => ({
    ...{ kind: 'service', weight: 'warning', paths: [folder] },
    ...change,
  });
  /** What is said of the content of each file, by its name. */
  const contents = async (one: WatchedPlace, items = new FileItems()): Promise<Record<string, string | undefined>> =>
    Object.fromEntries(
      (await items.read([one])).map(({ subject, state }) => [path.basename(subject), state.split(', ').at(-1)]),
    );

  it('are those of a folder, of those below it where that is wanted, or a file by itself', async () => {
    put('a', 'one');
    put('below/b', 'two');
    assert.deepEqual(await contents(place()), { a: sha256('one') });
    assert.deepEqual(await contents(place({ deep: true })), { a: sha256('one'), b: sha256('two') });
    assert.deepEqual(await contents(place({ paths: ['a', 'none'].map((name) => path.join(folder, name)) })), {
      a: sha256('one'),
    });
  });

  it('are not looked for in a folder that stands where people have their keys, nor read there at any length', async () => {
    put('authorized_keys/a', 'one');
    const [long, short] = [put('long', 'x'.repeat(11)), put('short', 'x'.repeat(10))];
    const keys = place({ paths: [path.join(folder, 'authorized_keys'), long, short], longestBytes: 10 });
    assert.deepEqual(await contents(keys), { long: '11 bytes', short: sha256('x'.repeat(10)) });
  });

  it('are bounded in a folder that somebody has stuffed, with folders too', async () => {
    for (const name of ['1', '2', '3', '4']) put(`${name}/file`, '');
    const read = async (entries: number): Promise<number> =>
      (await new FileItems({ entries, bytes: 1 }).read([place({ deep: true })])).length;
    assert.deepEqual([await read(8), await read(7), await read(4)], [4, 3, 0]);
  });

  it('are read up to a bound in all, the same ones when they are known already', async () => {
    for (const name of ['a', 'b', 'c']) put(name, 'x'.repeat(10));
    const items = new FileItems({ entries: 5, bytes: 25 });
    const first = await contents(place(), items);
    assert.deepEqual(Object.values(first).sort(), ['10 bytes', sha256('x'.repeat(10)), sha256('x'.repeat(10))]);
    assert.deepEqual(await contents(place(), items), first);
  });
});
