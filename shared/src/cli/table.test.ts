import assert from 'node:assert/strict';
import { renderFields, renderTable, type Column } from './table.js';

interface Row {
  readonly name: string;
  readonly reason: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'NAME', value: ({ name }) => name, style: () => 'green' },
  { title: 'REASON', value: ({ reason }) => reason, flexible: true },
];
const plain = { colour: false };

describe('tables', () => {
  it('aligns columns, marks empty cells and leaves no trailing spaces', () => {
    const rows = [
      { name: 'al', reason: 'a longer reason' },
      { name: 'barbara', reason: '' },
    ];
    assert.equal(renderTable(COLUMNS, rows, plain), 'NAME     REASON\nal       a longer reason\nbarbara  -\n');
  });

  it('keeps one row on one line, and shows controls and bidirectional tricks instead of sending them', () => {
    const reason = 'a\nb\u001b[2J\u0007\u202egpj.exe\u2028\u009b31m';
    const text = renderTable(COLUMNS, [{ name: 'x\r', reason }], plain);
    assert.equal(text.split('\n').length, 3);
    assert.doesNotMatch(text.replaceAll('\n', ''), /[\u0000-\u001f\u007f-\u009f\u2028\u202e]/); // eslint-disable-line no-control-regex -- what must not be there
    assert.match(text, /\\u\{1b\}\[2J/);
  });

  it('cuts only the flexible column to the width of a terminal, and nothing when there is no terminal', () => {
    const rows = [{ name: 'al', reason: 'r'.repeat(200) }];
    const cut = renderTable(COLUMNS, rows, { colour: false, width: 40 }).split('\n')[1] ?? '';
    assert.ok(cut.length <= 40, cut);
    assert.match(cut, /^al {4}r+…$/);
    assert.match(renderTable(COLUMNS, rows, plain), /r{200}/);
  });

  it('paints only when asked to', () => {
    const rows = [{ name: 'al', reason: 'why' }];
    assert.ok(!renderTable(COLUMNS, rows, plain).includes('\u001b'));
    assert.ok(renderTable(COLUMNS, rows, { colour: true, width: 80 }).includes('\u001b[32mal\u001b[39m'));
  });

  it('shows fields that have a value, made safe', () =>
    assert.equal(
      renderFields(
        [
          ['id', 'x'],
          ['none', ''],
          ['reason', 'a\nb'],
        ],
        plain,
      ),
      'id:      x\nreason:  a\\u{a}b\n',
    ));
});
