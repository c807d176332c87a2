import assert from 'node:assert/strict';
import { lineDiff } from './line-diff.js';

describe('the difference of two texts', () => {
  for (const [before, after, lines] of [
    ['', '', []],
    ['', 'a\n', ['+a']],
    ['a\n', '', ['-a']],
    ['a\nb\nc\n', 'a\nx\nc\n', [' a', '-b', '+x', ' c']],
    ['a\nb\n', 'b\nc\n', ['-a', ' b', '+c']],
    ['same\n', 'same\n', [' same']],
  ] as const)
    it(`is told line by line: ${JSON.stringify([before, after])}`, () => {
      assert.deepEqual(lineDiff(before, after), lines);
    });

  it('gives back both texts', () => {
    const [before, after] = ['a\nb\nb\nc\nd\n', 'b\nc\nc\nd\na\n'];
    const lines = lineDiff(before, after);
    const side = (sign: string): string =>
      lines.flatMap((line) => (line.startsWith(' ') || line.startsWith(sign) ? [`${line.slice(1)}\n`] : [])).join('');
    assert.deepEqual([side('-'), side('+')], [before, after]);
  });
});
