import { durationMs, MINUTE } from '@curfew/shared';
import assert from 'node:assert/strict';
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LastingItem } from '../../../ports/lasting-power.js';
import { execFileRunner } from '../../unix/exec-file-runner.js';
import type { PowerfulIds } from './file-power.js';
import { scanPrivilegedFiles } from './privileged-files.js';

describe('a search for privileged files', () => {
  const uid = process.getuid?.() ?? 0;
  const powerful: PowerfulIds = { ordinaryFrom: 0, uids: [uid], gids: [] };
  const ordinary: PowerfulIds = { ordinaryFrom: 0, uids: [], gids: [] };
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-search-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const put = (name: string, mode: number): string => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, 'x');
    chmodSync(file, mode);
    return file;
  };
  const search = async (ids: PowerfulIds, mostBytes?: number) => {
    const { items, incomplete } = await scanPrivilegedFiles(
      execFileRunner,
      [folder],
      durationMs(MINUTE),
      ids,
      mostBytes,
    );
    return { names: items.map(({ subject }: LastingItem) => path.relative(folder, subject)).sort(), incomplete };
  };

  it('finds what gives the rights of somebody who has more than others, and passes over what anybody may make', async () => {
    put('below/suid', 0o4755);
    put('plain', 0o755);
    put('cannot-run', 0o4644);
    assert.deepEqual(await search(powerful), { names: ['below/suid'], incomplete: false });
    assert.deepEqual(await search(ordinary), { names: [], incomplete: false });
  });

  it('tells some names of a file that has many, and is complete', async () => {
    const file = put('suid', 0o4755);
    for (let at = 0; at < 40; at += 1) linkSync(file, `${file}-${at}`);
    const { names, incomplete } = await search(powerful);
    assert.deepEqual([names.length, incomplete], [16, false]);
  });

  it('says that it is not complete when there is more than it may tell', async () => {
    for (let at = 0; at < 20; at += 1) put(`suid-${at}`, 0o4755);
    const { names, incomplete } = await search(powerful, 1_000);
    assert.ok(names.length > 0 && names.length < 20, `${names.length} names`);
    assert.equal(incomplete, true);
  });
});
