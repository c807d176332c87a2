import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { includedFolders, sudoersPaths } from './sudoers-includes.js';

describe('where sudo begins to read', () => {
  // The first is of sudo 1.9.13p3 as root, the last of sudo-rs 0.2.5; the second is how SUSE builds 1.9.14 and newer.
  for (const [told, paths] of [
    ['Sudo version 1.9.13p3\nSudoers policy plugin version 1.9.13p3\nSudoers path: /etc/sudoers\n', ['/etc/sudoers']],
    ['Sudo version 1.9.17p2\nSudoers path: /etc/sudoers:/usr/etc/sudoers\n', ['/etc/sudoers', '/usr/etc/sudoers']],
    ['sudo-rs 0.2.5\n', undefined],
  ] as const)
    it(`is ${paths?.join(', then ') ?? 'not known'} where it says ${told.split('\n').at(-2) ?? ''}`, () => {
      assert.deepEqual(sudoersPaths(told), paths);
    });
});

describe('the folders that sudo includes', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-includes-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const put = (name: string, text: string): string => {
    const file = path.join(folder, name);
    writeFileSync(file, text);
    return file;
  };

  for (const [name, text, expected] of [
    ['written with @', 'root ALL=(ALL) ALL\n@includedir /etc/sudoers.d\n', ['/etc/sudoers.d']],
    ['written with #, as macOS and old ones do', '#includedir /private/etc/sudoers.d\n', ['/private/etc/sudoers.d']],
    ['with a slash at the end', '  @includedir\t/etc/sudoers.d/ \n', ['/etc/sudoers.d']],
    ['quoted', '@includedir "/etc/two words"\n', ['/etc/two words']],
    ['escaped', '@includedir /etc/two\\ words\n', ['/etc/two words']],
    ['two of them', '@includedir /a\n@includedir /b\n', ['/a', '/b']],
    ['in a comment', '# includedir /etc/sudoers.d\n## @includedir /etc/sudoers.d\n', []],
    ['no folder but a file', '@include /nowhere/sudoers.d\n', []],
    ['none', 'root ALL=(ALL) ALL\n', []],
  ] as const)
    it(`are found: ${name}`, async () => {
      assert.deepEqual([...(await includedFolders([put('sudoers', text)]))], expected);
    });

  it('are found in files that are included, also by themselves', async () => {
    put('more', `@includedir /etc/sudoers.d\n@include sudoers\n`);
    assert.deepEqual([...(await includedFolders([put('sudoers', '@include more\n')]))], ['/etc/sudoers.d']);
  });

  it('are those of the first place that is there', async () => {
    const [missing, first] = [path.join(folder, 'missing'), put('first', '@includedir /a\n')];
    assert.deepEqual([...(await includedFolders([missing, first, put('second', '@includedir /b\n')]))], ['/a']);
    assert.deepEqual([...(await includedFolders([missing]))], []);
  });
});
