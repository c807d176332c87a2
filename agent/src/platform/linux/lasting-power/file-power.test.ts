import assert from 'node:assert/strict';
import { givesPower, type FileRights } from './file-power.js';

const IDS = { ordinaryFrom: 1_000, uids: [1_007], gids: [1_008] };
/** As capabilities(7) are kept: cap_net_raw for everybody, or below a namespace whose root is the uid. */
const everywhere = '0100000200200000000000000000000000000000';
const below = (uid: number): string => {
  const root = Buffer.alloc(4);
  root.writeUInt32LE(uid);
  return `0100000300200000000000000000000000000000${root.toString('hex')}`;
};

describe('a file that runs with the rights of another', () => {
  const cases: { name: string; file: Partial<FileRights>; gives: boolean }[] = [
    { name: 'as root', file: { mode: 0o4755, uid: 0 }, gives: true },
    { name: 'as a system account', file: { mode: 0o4755, uid: 33 }, gives: true },
    { name: 'as an administrator', file: { mode: 0o4755, uid: 1_007 }, gives: true },
    { name: 'as anybody else', file: { mode: 0o4755 }, gives: false },
    { name: 'as the root of a container', file: { mode: 0o4755, uid: 100_000 }, gives: false },
    { name: 'in a system group', file: { mode: 0o2755, gid: 4 }, gives: true },
    { name: 'in a group of administrators', file: { mode: 0o2755, gid: 1_008 }, gives: true },
    { name: "in somebody's own group", file: { mode: 0o2755 }, gives: false },
    { name: 'in a system group, and as nobody in particular', file: { mode: 0o6755, gid: 4 }, gives: true },
    { name: 'as root, but cannot be run', file: { mode: 0o4644, uid: 0 }, gives: false },
    { name: 'with nothing, whoever has it', file: { mode: 0o755, uid: 0, gid: 0 }, gives: false },
    { name: 'with capabilities', file: { capabilities: everywhere }, gives: true },
    { name: "with capabilities below root's namespace", file: { capabilities: below(0) }, gives: true },
    { name: "with capabilities below an administrator's", file: { capabilities: below(1_007) }, gives: true },
    { name: "with capabilities below somebody's own", file: { capabilities: below(1_000) }, gives: false },
    { name: 'with capabilities that nobody understands', file: { capabilities: '03' }, gives: true },
  ];
  for (const { name, file, gives } of cases)
    it(`${gives ? 'counts' : 'does not count'}: ${name}`, () => {
      assert.equal(givesPower({ mode: 0o755, uid: 1_000, gid: 1_000, capabilities: '', ...file }, IDS), gives);
    });
});
