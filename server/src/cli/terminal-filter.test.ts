import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TerminalFilter } from './terminal-filter.js';

const ESC = '\u001b';
const filtered = (text: string, mode: 'picture' | 'lines' = 'picture'): string => new TerminalFilter(mode).push(text);

describe('the filter for recorded terminal output', () => {
  const drawn = [
    'plain text, ümlaut, 漢字, 😀',
    `${ESC}[1;31mred${ESC}[0m`,
    `${ESC}[38;2;1;2;3m`,
    `${ESC}[38:5:12m`,
    `${ESC}[2J${ESC}[H${ESC}[12;40H${ESC}[K`,
    `${ESC}[?1049h${ESC}[?25l${ESC}[?25h${ESC}[?1049l`,
    `${ESC}[3;20r${ESC}7${ESC}8${ESC}M${ESC}D`,
    `${ESC}(0lqk${ESC}(B\u000e\u000f`,
    'a\r\nb\tc\b',
    `${ESC}[4h${ESC}[4l`,
  ];
  for (const text of drawn)
    it(`lets through ${JSON.stringify(text)}`, () => {
      assert.equal(filtered(text), text);
      const filter = new TerminalFilter('picture');
      assert.equal(Array.from(text, (character) => filter.push(character)).join(''), text);
    });

  const hostile: { name: string; text: string; shown?: string }[] = [
    { name: 'a title', text: `${ESC}]0;root@prod\u0007` },
    { name: 'a title that ends with ST', text: `${ESC}]2;x${ESC}\\` },
    { name: 'the clipboard', text: `${ESC}]52;c;cm0gLXJmIC8K\u0007` },
    { name: 'a link', text: `${ESC}]8;;http://evil${ESC}\\click${ESC}]8;;${ESC}\\`, shown: 'click' },
    { name: 'a question for the cursor', text: `${ESC}[6n` },
    { name: 'a question for the terminal', text: `${ESC}[c${ESC}[>c${ESC}[=c${ESC}[0c${ESC}Z` },
    { name: 'a question for the mode', text: `${ESC}[?1$p` },
    { name: 'a question for the title', text: `${ESC}[21t` },
    { name: 'another size of the window', text: `${ESC}[8;1;1t` },
    { name: 'printing', text: `${ESC}[5i` },
    { name: 'an answerback', text: '\u0005' },
    { name: 'the mouse', text: `${ESC}[?1000h${ESC}[?1002;1006h${ESC}[1;2;3;4;5T` },
    { name: 'keys that send something else', text: `${ESC}[?1h${ESC}=${ESC}>${ESC}[>1u${ESC}[?2004h` },
    { name: 'a mode beside one that draws', text: `${ESC}[?25;1000h`, shown: `${ESC}[?25h` },
    { name: 'DCS, with a question for a setting', text: `${ESC}P$qm${ESC}\\` },
    { name: 'APC, PM and SOS', text: `${ESC}_x${ESC}\\${ESC}^x${ESC}\\${ESC}Xx${ESC}\\` },
    { name: 'a program for a key', text: `${ESC}P1;1|17/72${ESC}\\` },
    { name: 'C1 in one character', text: '\u009b6n\u009d0;x\u0007\u0090q\u009c\u0085' },
    { name: 'a string that does not end', text: `${ESC}]0;${'x'.repeat(10_000)}` },
    { name: 'a sequence that is too long', text: `${ESC}[${'1;'.repeat(100)}m` },
    { name: 'a place that is on no screen', text: `${ESC}[99999H` },
    { name: 'DEL and NUL', text: '\u007f\u0000' },
    { name: 'a whole reset', text: `${ESC}c`, shown: `${ESC}[0m${ESC}[H${ESC}[2J` },
    { name: 'an alignment test', text: `${ESC}#8` },
    { name: 'a sequence that is broken off by another', text: `${ESC}[6${ESC}[1m`, shown: `${ESC}[1m` },
  ];
  for (const { name, text, shown = '' } of hostile)
    it(`leaves out ${name}, however it is cut`, () => {
      assert.equal(filtered(text), shown);
      const filter = new TerminalFilter('picture');
      assert.equal(Array.from(text, (character) => filter.push(character)).join(''), shown);
    });

  it('lets nothing through but text, moves and what draws, whatever comes', () => {
    const piece = fc.constantFrom(
      ESC,
      '[',
      ']',
      '?',
      ';',
      '6',
      'n',
      'c',
      'h',
      'm',
      '1',
      'P',
      '\\',
      '\u0007',
      '\u009b',
      'x',
      '>',
      '$',
      '\n',
    );
    const allowed =
      // eslint-disable-next-line no-control-regex -- naming control characters is the point
      /^(?:[^\u0000-\u0007\u0010-\u001f\u007f-\u009f]|\u001b\[[0-9;:]*[@A-MPSTXZ`adefgmrsu]|\u001b\[\?(?:7|12|25|47|1047|1048|1049|2026)(?:;\d+)*[hl]|\u001b\[4[hl]|\u001b[78DEMH]|\u001b[()*+][0AB])*$/u;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const filter = new TerminalFilter('picture');
        assert.match(pieces.map((one) => filter.push(one)).join(''), allowed);
        // eslint-disable-next-line no-control-regex -- naming control characters is the point
        assert.doesNotMatch(filtered(pieces.join(''), 'lines'), /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('makes lines of what was drawn over lines', () => {
    const filter = new TerminalFilter('lines');
    const shown = ['10%\r', '20%\r', '\ndone\r\r\n', `${ESC}[31mred${ESC}[0m\u000b`].map((one) => filter.push(one));
    assert.equal(shown.join(''), '10%\n20%\ndone\nred\n');
    assert.equal(filter.end(), '');
  });

  it('puts the terminal in order at the end, and back from another screen where it is', () => {
    const filter = new TerminalFilter('picture');
    assert.ok(!filter.end().includes('1049'));
    filter.push(`${ESC}[?1049h`);
    assert.ok(filter.end().startsWith(`${ESC}[?1049l`));
    filter.push(`${ESC}[?1049l`);
    assert.ok(!filter.end().includes('1049'));
  });
});
