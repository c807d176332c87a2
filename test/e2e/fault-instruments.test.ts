import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describeOn } from '../support/machine-needs.js';
import { scratchFolder } from '../support/scratch.js';
import { enumerateFaultPoints, runWithFault } from '../support/strace-faults.js';

describeOn([{ program: 'strace' }], 'faults at file operations', function () {
  this.timeout(60_000);
  let folder: string;
  let argv: string[];

  beforeEach(() => {
    folder = scratchFolder('faults');
    mkdirSync(join(folder, 'state'));
    const program = `
      const { promises: fs, openSync, fsyncSync } = require('node:fs');
      const folder = process.argv[1];
      (async () => {
        const file = await fs.open(folder + '/next', 'w');
        await file.writeFile('x');
        await file.sync();
        await file.close();
        await fs.rename(folder + '/next', folder + '/now');
        fsyncSync(openSync(folder, 'r'));
      })().catch((error) => { console.log(error.code); process.exit(3); });`;
    argv = [process.execPath, '-e', program, join(folder, 'state')];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('finds each operation below a folder, of every thread', async () => {
    const { result, points } = await enumerateFaultPoints(argv, [folder]);
    assert.equal(result.exitCode, 0);
    assert.deepEqual(
      points.map(({ call, path, nth }) => `${call} ${path.slice(folder.length)} ${nth}`),
      ['openat /state/next 1', 'write /state/next 1', 'fsync /state/next 1', 'rename /state/next 1'].concat([
        'openat /state 1',
        'fsync /state 1',
      ]),
    );
  });

  it('kills at, or fails, exactly the chosen one', async () => {
    const now = join(folder, 'state', 'now');
    const { points } = await enumerateFaultPoints(argv, [folder]);
    for (const point of points) {
      const renamed = points.indexOf(point) > points.findIndex(({ call }) => call === 'rename');
      rmSync(now, { force: true });
      const killed = await runWithFault(argv, point, 'SIGKILL');
      assert.equal(killed.signal, 'SIGKILL', `${point.call} ${point.path}`);
      assert.equal(existsSync(now), renamed, `${point.call} ${point.path}`);
      rmSync(now, { force: true });
      const failed = await runWithFault(argv, point, 'ENOSPC');
      assert.deepEqual([failed.exitCode, failed.stdout], [3, 'ENOSPC\n'], `${point.call} ${point.path}`);
      assert.equal(existsSync(now), renamed);
    }
  });
});
