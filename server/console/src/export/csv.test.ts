import assert from 'node:assert/strict';
import { csvCell, csvText } from './csv.js';

describe('CSV cells', () => {
  const formulas = [
    { name: 'an equals sign', value: '=1+1' },
    { name: 'a plus sign', value: '+1' },
    { name: 'a minus sign', value: '-1' },
    { name: 'an at sign', value: '@SUM(A1)' },
    { name: 'spaces before an equals sign', value: '  =1+1' },
    { name: 'a no-break space before an equals sign', value: '\u00a0=1+1' },
    { name: 'a tab', value: '\tx' },
    { name: 'a carriage return', value: '\rx' },
    { name: 'a line feed', value: '\nx' },
    { name: 'a full-width equals sign', value: '\uff1d1+1' },
    { name: 'a call of another program', value: '=cmd|"/c calc"!A0' },
  ];
  for (const { name, value } of formulas)
    it(`begin with an apostrophe when they would begin with ${name}`, () => {
      assert.ok(csvCell(value).startsWith(`"'`), csvCell(value));
    });

  for (const { name, value, cell } of [
    { name: 'a semicolon', value: 'a;=1+1', cell: `"a;'=1+1"` },
    { name: 'a semicolon and spaces', value: 'a; \u00a0@SUM(A1)', cell: `"a;' \u00a0@SUM(A1)"` },
    { name: 'a semicolon and a quote', value: 'a;"=1+1"', cell: `"a;'""=1+1"""` },
    { name: 'a tab', value: 'a\t-1', cell: `"a\t'-1"` },
    { name: 'a line end', value: 'a\r\n=1+1', cell: `"a\r'\n'=1+1"` },
    { name: 'a tab that is the first of all', value: '\t-1', cell: `"'\t'-1"` },
  ])
    it(`have an apostrophe before what would be a formula to a program that parts cells otherwise: after ${name}`, () => {
      assert.equal(csvCell(value), cell);
    });

  it('are as they are otherwise', () => {
    assert.equal(csvCell('deploy by hand'), '"deploy by hand"');
    assert.equal(csvCell('a=b'), '"a=b"');
    assert.equal(csvCell(''), '""');
  });

  it('keep quotes, commas and lines inside of themselves', () => {
    assert.equal(csvCell('say "no", twice\nor more'), '"say ""no"", twice\nor more"');
  });

  it('make rows that end with CRLF, after the mark of UTF-8', () => {
    assert.equal(csvText(['a', 'b'], [['1', '=2']]), '\ufeff"a","b"\r\n"1","\'=2"\r\n');
  });
});
