import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ProcessFolder } from './process-folder.js';

/** So many folders; a report comes at a bad moment in nearly each. */
const ROUNDS = 5;
const REPORT = { ended: 1, left: 0, leftNames: [] };

describe('the folder in which agent and follower meet', () => {
  let scratch: string;

  beforeEach(() => {
    scratch = mkdtempSync(path.join(tmpdir(), 'curfew-processes-'));
  });
  afterEach(() => {
    rmSync(scratch, { recursive: true });
  });

  it('is gone whole once it was removed, though the follower reports until then', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const folder = new ProcessFolder(path.join(scratch, String(round)));
      await folder.prepare();
      const reporting = (async () => {
        for (let at = 0; ; at++) await folder.report({ ...REPORT, sessionId: `ses-${String(at).padStart(20, '0')}` });
      })();
      const ends = assert.rejects(reporting, { code: 'ENOENT' });
      await folder.remove();
      assert.equal(existsSync(folder.folder), false);
      await ends;
    }
  });
});
