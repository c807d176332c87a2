import { CurfewError } from '@curfew/shared';
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { unpackArchive } from './unpack-archive.js';

interface Part {
  readonly name: string;
  readonly type?: string;
  readonly mode?: number;
  readonly content?: string;
  readonly size?: number;
  readonly link?: string;
  readonly magic?: string;
}

/** One header of POSIX ustar (pax(1), 'ustar Interchange Format') and its content. */
function part({
  name,
  type = '0',
  mode = 0o644,
  content = '',
  size,
  link = '',
  magic = 'ustar\0' + '00',
}: Part): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100, 'latin1');
  header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${(size ?? content.length).toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write(' '.repeat(8), 148);
  header.write(type, 156);
  header.write(link, 157);
  header.write(magic, 257, 'latin1');
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512)]);
}
const END = Buffer.alloc(1024);
const NODE: Part = { name: 'node', mode: 0o755, content: 'x'.repeat(1300) };

describe('unpacking a release', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-unpack-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const place = (): string => path.join(folder, 'out');
  const unpack = (bytes: Buffer): Promise<void> => {
    writeFileSync(path.join(folder, 'archive'), bytes);
    return unpackArchive(path.join(folder, 'archive'), place());
  };
  const tar = (...parts: readonly Part[]): Buffer => gzipSync(Buffer.concat([...parts.map(part), END]));

  it('makes its files and folders, with their modes', async () => {
    await unpack(
      tar(
        NODE,
        { name: 'program/', type: '5', mode: 0o755 },
        { name: 'program/a.js', content: 'a' },
        { name: 'x/@y/z', content: '' },
      ),
    );
    assert.equal(readFileSync(path.join(place(), 'node'), 'utf8'), NODE.content);
    assert.equal(statSync(path.join(place(), 'node')).mode & 0o7777, 0o755);
    assert.equal(readFileSync(path.join(place(), 'program/a.js'), 'utf8'), 'a');
    assert.equal(statSync(path.join(place(), 'program/a.js')).mode & 0o7777, 0o644);
    assert.deepEqual(readdirSync(place()).sort(), ['node', 'program', 'x']);
  });

  const wrong: readonly (Part & { readonly what: string })[] = [
    { what: 'climbs out', name: '../evil' },
    { what: 'climbs out on the way', name: 'a/../../evil' },
    { what: 'begins at the root', name: '/tmp/curfew-evil' },
    { what: 'has no name', name: '' },
    { what: 'has a part without a name', name: 'a//b' },
    { what: 'begins with a dot', name: '.hidden' },
    { what: 'has a line break', name: 'a\nb' },
    { what: 'is a symbolic link', name: 'a', type: '2', link: '/etc/passwd' },
    { what: 'is a hard link', name: 'a', type: '1', link: '/etc/passwd' },
    { what: 'is a device', name: 'a', type: '3' },
    { what: 'is a FIFO', name: 'a', type: '6' },
    { what: 'has a longer name elsewhere', name: 'a', type: 'L', content: '../evil' },
    { what: 'is setuid', name: 'a', mode: 0o4755 },
    { what: 'is setgid', name: 'a', mode: 0o2755 },
    { what: 'is for everybody to write', name: 'a', mode: 0o666 },
    { what: 'comes twice', name: 'node' },
    { what: 'comes below a file', name: 'node/b', content: 'b' },
    { what: 'is larger than anybody takes', name: 'a', size: 0o77777777777 },
    { what: 'is of another kind of archive', name: 'a', magic: 'other' },
  ];
  for (const { what, ...entry } of wrong)
    it(`refuses what ${what}`, async () => {
      const before = existsSync('/tmp/curfew-evil');
      await assert.rejects(unpack(tar(NODE, entry)), (error: unknown) => {
        assert.ok(error instanceof CurfewError);
        assert.equal(error.code, 'RELEASE_UNSAFE', error.message);
        return true;
      });
      assert.deepEqual(readdirSync(folder).sort(), ['archive', 'out']);
      assert.deepEqual(readdirSync(place()), ['node']);
      assert.equal(existsSync('/tmp/curfew-evil'), before);
    });

  for (const [what, bytes] of [
    ['is cut in a file', gzipSync(part(NODE).subarray(0, 900))],
    ['has no end', gzipSync(part(NODE))],
    ['is cut as it is compressed', tar(NODE).subarray(0, 60)],
    ['is not compressed', Buffer.concat([part(NODE), END])],
    ['has another sum', gzipSync(Buffer.concat([part(NODE).fill(0x37, 110, 111), END]))],
  ] as const)
    it(`refuses an archive that ${what}`, async () => {
      await assert.rejects(unpack(bytes), (error: unknown) => {
        assert.ok(error instanceof CurfewError);
        assert.equal(error.code, 'RELEASE_UNSAFE', error.message);
        return true;
      });
    });
});
