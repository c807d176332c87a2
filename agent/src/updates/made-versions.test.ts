import assert from 'node:assert/strict';
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MadeVersions } from './made-versions.js';
import { VersionsFolder } from './versions-folder.js';

describe('versions that the agent has made', () => {
  let folder: string;
  let versions: VersionsFolder;
  let made: MadeVersions;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-versions-'));
    [versions, made] = [new VersionsFolder(folder), new MadeVersions(folder)];
    mkdirSync(path.join(versions.unpacking, 'program'), { recursive: true });
    writeFileSync(path.join(versions.unpacking, 'node'), 'node');
    writeFileSync(program(), 'program');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const program = (version = '.unpacking'): string => path.join(folder, version, 'program/curfew-agent.js');
  const own = (file: string): Promise<boolean> => made.isOwn(path.resolve(folder, file));
  /** Waits until what is changed in the folder has another time: some file systems look at the clock only now and then. */
  const later = (): void => {
    const probe = path.join(folder, 'probe');
    const now = (): bigint => {
      writeFileSync(probe, '');
      return lstatSync(probe, { bigint: true }).ctimeNs;
    };
    for (const before = now(); now() === before;);
    rmSync(probe);
  };
  const settled = async (): Promise<void> => {
    await versions.settle('0.2.0');
    await versions.choose('0.2.0');
  };

  it('are its own from the moment that they are in their place, with what names them', async () => {
    assert.equal(await own(program()), true, 'on its way');
    await settled();
    writeFileSync(path.join(folder, 'starts'), '0.2.0 1\n');
    for (const file of ['0.2.0/node', '0.2.0/program/curfew-agent.js', 'chosen', 'starts', '.made-0.2.0'])
      assert.equal(await own(file), true, file);
  });

  const changes: { name: string; change: () => void; file: string }[] = [
    {
      name: 'a file that was written in a version',
      change: () => writeFileSync(program('0.2.0'), 'PROGRAM'),
      file: '0.2.0/program/curfew-agent.js',
    },
    {
      name: 'another file in the place of one',
      change: () => {
        writeFileSync(path.join(folder, 'new'), 'program');
        renameSync(path.join(folder, 'new'), program('0.2.0'));
      },
      file: '0.2.0/program/curfew-agent.js',
    },
    {
      name: 'a file that others may write to',
      change: () => chmodSync(program('0.2.0'), 0o666),
      file: '0.2.0/program/curfew-agent.js',
    },
    {
      name: 'a file beside those of a version',
      change: () => writeFileSync(path.join(folder, '0.2.0/program/more.js'), ''),
      file: '0.2.0/program/more.js',
    },
    {
      name: 'a version that somebody has put there',
      change: () => {
        mkdirSync(path.join(folder, '9.0.0'));
        writeFileSync(path.join(folder, '9.0.0/node'), '');
      },
      file: '9.0.0/node',
    },
    {
      name: 'a word that such a version is the proved one',
      change: () => writeFileSync(path.join(folder, 'proved'), '9.0.0\n'),
      file: 'proved',
    },
    {
      name: 'a word that is no version',
      change: () => writeFileSync(path.join(folder, 'chosen'), '../../../tmp\n'),
      file: 'chosen',
    },
    { name: 'anything outside of the folder', change: () => undefined, file: '../state.json' },
  ];
  for (const { name, change, file } of changes)
    it(`are not ${name}`, async () => {
      await settled();
      later();
      change();
      assert.equal(await own(file), false);
    });

  it('are forgotten when they go', async () => {
    await settled();
    await versions.keepOnly(new Set(['0.3.0']));
    writeFileSync(path.join(folder, 'chosen'), '0.2.0\n');
    assert.equal(await own('chosen'), false);
  });
});
