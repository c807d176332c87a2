import assert from 'node:assert/strict';
import { findIn, ShownText } from './shown-text.js';

/** Reads outputs, one every second from 1 s on. */
function shown(...outputs: readonly string[]): ShownText {
  const text = new ShownText();
  for (const [index, data] of outputs.entries()) text.push({ atMs: (index + 1) * 1_000, code: 'o', data });
  return text;
}

const lines = (...outputs: readonly string[]): string[] =>
  shown(...outputs)
    .lines()
    .map(({ text }) => text);

const ESC = '\u001b';

describe('the text of what a terminal showed', () => {
  const cases = [
    { name: 'lines', given: 'one\r\ntwo\n\nthree', text: ['one', 'two', 'three'] },
    { name: 'colours', given: `${ESC}[1;31mred${ESC}[0m and ${ESC}[38;2;1;2;3mmore${ESC}[m`, text: ['red and more'] },
    {
      name: 'a title',
      given: `${ESC}]0;root@web-1\u0007$ ls${ESC}]8;;http://x${ESC}\\link${ESC}]8;;${ESC}\\`,
      text: ['$ lslink'],
    },
    { name: 'character sets and the like', given: `${ESC}(Ba${ESC}>b${ESC}#8c${ESC}7d`, text: ['abcd'] },
    { name: 'a device string', given: `a${ESC}Pq#0;1~${ESC}\\b`, text: ['ab'] },
    { name: 'sequences of the second control set', given: 'a\u009b31mb\u009d0;t\u009cc', text: ['abc'] },
    {
      name: 'a place on the screen',
      given: `${ESC}[2J${ESC}[1;1Htop${ESC}[5;10Hleft${ESC}[20Cright`,
      text: ['top', 'left right'],
    },
    { name: 'a line that is written over', given: '10 %\r20 %\r100 %\r\n', text: ['10 %', '20 %', '100 %'] },
    { name: 'letters that are taken back', given: `ls -s\b${ESC}[Kl\r\n`, text: ['ls -l'] },
    { name: 'letters that are printed twice to be bold', given: 'N\bNA\bAME', text: ['NAME'] },
    { name: 'tabs', given: 'a\tb', text: ['a b'] },
    { name: 'bells and zeros', given: 'a\u0007\u0000b', text: ['ab'] },
    { name: 'a broken sequence', given: `a${ESC}[12${ESC}[1mb${ESC}[1\u0018c`, text: ['abc'] },
    { name: 'letters beyond ASCII', given: 'grün ✓ 😀\u00a0!', text: ['grün ✓ 😀\u00a0!'] },
    { name: 'mark-up', given: '<img src=x onerror=alert(1)>', text: ['<img src=x onerror=alert(1)>'] },
  ];
  for (const { name, given, text } of cases) {
    it(`knows ${name}`, () => {
      assert.deepEqual(lines(given), text);
    });

    it(`knows ${name}, letter by letter`, () => {
      assert.deepEqual(lines(...given.split('')), text);
    });
  }

  it('leaves input and marks out', () => {
    const text = new ShownText();
    text.push({ atMs: 0, code: 'i', data: 'secret' });
    text.push({ atMs: 0, code: 'm', data: 'mark' });
    assert.deepEqual(text.lines(), []);
  });

  it('cuts what never ends', () => {
    const text = lines('x'.repeat(9_999), 'y', 'z'.repeat(5));
    assert.deepEqual(
      text.map((line) => line.length),
      [10_000, 5],
    );
  });
});

describe('a search in what was shown', () => {
  const find = (wanted: string, ...outputs: readonly string[]) => findIn(shown(...outputs).lines(), wanted, 100).found;

  it('finds what came in pieces, at the time of its last letter', () => {
    assert.deepEqual(find('restart', '$ res', 'ta', 'rt nginx', '\r\n'), [
      { atMs: 3_000, line: '$ restart nginx', start: 2, end: 9 },
    ]);
    assert.equal(find('res', '$ res', 'ta', 'rt nginx')[0]?.atMs, 1_000);
    assert.equal(find('ta', '$ res', 'ta', 'rt nginx')[0]?.atMs, 2_000);
  });

  it('knows the time of what was typed again after a backspace', () => {
    assert.deepEqual(find('ls', 'l', 'x', '\b', 's'), [{ atMs: 4_000, line: 'ls', start: 0, end: 2 }]);
  });

  it('finds every place, whatever the case, in the order of time', () => {
    assert.deepEqual(
      find('ERROR', 'error\r\n', 'no Error, an eRRor\r\n').map(({ atMs, start }) => [atMs, start]),
      [
        [1_000, 0],
        [2_000, 3],
        [2_000, 13],
      ],
    );
  });

  it('takes the wanted text as it is', () => {
    assert.equal(find('a.c', 'abc').length, 0);
    for (const wanted of ['(x)', '[a-b]', '^$', 'a/b', '\\d', '{1}', '|', '?', '-'])
      assert.equal(find(wanted, `say ${wanted} again`).length, 1, wanted);
  });

  it('finds nothing of nothing, and stops at its limit', () => {
    assert.deepEqual(findIn(shown('aaaa').lines(), '', 3), { found: [], isCut: false });
    const { found, isCut } = findIn(shown('aaaa').lines(), 'a', 3);
    assert.deepEqual([found.length, isCut], [3, true]);
    assert.equal(findIn(shown('aaa').lines(), 'a', 3).isCut, false);
  });
});
