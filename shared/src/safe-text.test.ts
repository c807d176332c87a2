import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hasUnsafeText, safeText } from './safe-text.js';

const cases: { name: string; text: string; shown: string }[] = [
  { name: 'an escape sequence', text: '\u001b[2Jgone', shown: '\\u{1b}[2Jgone' },
  { name: 'a C1 control sequence', text: '\u009b31m', shown: '\\u{9b}31m' },
  { name: 'a line break', text: 'one\ntwo', shown: 'one\\u{a}two' },
  { name: 'a line separator', text: 'one\u2028two', shown: 'one\\u{2028}two' },
  { name: 'a right-to-left override', text: 'exe\u202etxt', shown: 'exe\\u{202e}txt' },
  { name: 'a bidirectional isolate', text: 'a\u2066b', shown: 'a\\u{2066}b' },
  { name: 'a zero width space', text: 'ro\u200bot', shown: 'ro\\u{200b}ot' },
  { name: 'a byte order mark', text: '\ufeffroot', shown: '\\u{feff}root' },
  { name: 'half a surrogate pair', text: 'a\ud800b', shown: 'a\\u{d800}b' },
  { name: 'NUL', text: 'a\u0000b', shown: 'a\\u{0}b' },
];

describe('safe text', () => {
  for (const { name, text, shown } of cases)
    it(`escapes ${name}`, () => {
      assert.equal(safeText(text), shown);
      assert.equal(hasUnsafeText(text), true);
    });

  for (const text of ['plain', 'żółć 漢字 עברית', '👩🏽 ok', '<b>&amp;', 'DOMAIN\\user', ''])
    it(`leaves ${JSON.stringify(text)} alone`, () => {
      assert.equal(safeText(text), text);
      assert.equal(hasUnsafeText(text), false);
    });

  it('leaves nothing unsafe behind, whatever the text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => assert.equal(hasUnsafeText(safeText(text)), false)));
  });
});
