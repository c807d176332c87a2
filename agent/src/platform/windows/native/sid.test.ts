import assert from 'node:assert/strict';
import { sidBytes, sidLength, sidText } from './sid.js';

describe('a SID', () => {
  // [MS-DTYP] 2.4.2.4, well-known SIDs; the bytes of S-1-5-32-544 are those of its example.
  for (const [text, hex] of [
    ['S-1-5-32-544', '01020000000000052000000020020000'],
    ['S-1-5-18', '010100000000000512000000'],
    ['S-1-12-1-1-4294967295', '010300000000000c0100000001000000ffffffff'],
  ] as const)
    it(`is ${text} in bytes and in text`, () => {
      assert.equal(sidBytes(text).toString('hex'), hex);
      assert.equal(sidText(sidBytes(text)), text);
      assert.equal(sidLength(sidBytes(text)), sidBytes(text).length);
    });

  for (const text of ['', 'S-1-5', 'alice', 'S-2-5-18', 'S-1-5-4294967296', 'S-1-5-18 ', `S-1-5${'-1'.repeat(16)}`])
    it(`is not ${JSON.stringify(text)}`, () => {
      assert.throws(() => sidBytes(text), TypeError);
    });
});
