import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SecretFiles } from './secret-files.js';

/** Writes 's' as often as its second argument says to the file `key` in the folder of the first. */
const WRITER = `
  import { SecretFiles } from ${JSON.stringify(new URL('./secret-files.js', import.meta.url).href)};
  const [folder, length] = process.argv.slice(1);
  new SecretFiles(folder).write('key', 's'.repeat(Number(length)));
`;

describe('files of secrets', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-secrets-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are as they were where the disk takes only the beginning of what is written', () => {
    const files = new SecretFiles(folder);
    files.write('key', 'before');
    // No file may be longer than eight blocks of 512 bytes: a write beyond that stops short, and the next one fails.
    const limited = 'ulimit -f 8; exec "$0" "$@"';
    const write = (length: number) =>
      spawnSync(
        '/bin/sh',
        ['-c', limited, process.execPath, '--input-type=module', '-e', WRITER, folder, String(length)],
        { encoding: 'utf8' },
      );
    const { status, stderr } = write(5_000);
    assert.match(stderr, /EFBIG/);
    assert.deepEqual([status, files.read('key')], [1, 'before']);
    assert.equal(write(4_096).status, 0);
    assert.equal(files.read('key'), 's'.repeat(4_096));
  }).timeout(60_000);
});
