import assert from 'node:assert/strict';
import type { FuzzTarget } from './target.js';

/** Between the cells and the rows of an input. */
const [CELL, ROW] = ['\u0000', '\u0001'];
/** What programs for tables part cells by, each by its settings. */
const SEPARATORS = [',', ';', '\t', '|'];
/** How a formula begins, after white space that is not looked at (OWASP, 'CSV Injection'). */
const FORMULA = /^[\s\u00a0\ufeff]*[=+\-@＝＋－＠]/u;

/** RFC 4180, section 2, as programs read it: quotes count only where a cell begins with one; a line may end in three ways. */
function readTable(text: string, separator: string): string[][] {
  const rows: string[][] = [[]];
  let at = text.startsWith('\ufeff') ? 1 : 0;
  /** The next character, which is done with. */
  const next = (): string => text.charAt(at++);
  while (at < text.length) {
    let cell = '';
    if (text[at] === '"') {
      at += 1;
      while (at < text.length && (text[at] !== '"' || text[at + 1] === '"')) {
        if (text[at] === '"') at += 1;
        cell += next();
      }
      at += 1;
    }
    while (at < text.length && text[at] !== separator && text[at] !== '\r' && text[at] !== '\n') cell += next();
    rows.at(-1)!.push(cell);
    if (text[at] === '\r' && text[at + 1] === '\n') at += 1;
    if (at < text.length && text[at] !== separator) rows.push([]);
    at += 1;
  }
  return rows.filter((row) => row.length > 0);
}

/** A text without the apostrophes that keep what follows them from being a formula. */
const unguarded = (text: string): string => text.replace(/'(?=[\s"'\u00a0\ufeff]*[=+\-@|%＝＋－＠]|[\t\r\n])/gu, '');

/** What people write, as a file for programs of tables. */
export const csvTables: FuzzTarget = {
  name: 'csv-tables',
  modules: ['/console/build/src/export/csv'],
  seeds: () =>
    [
      'a\u0000b,"c"\u0001=1+1\u0000\r\n+2',
      'x;=1\u0000y\n@SUM(A1)',
      '\ufeff=1\u0000\t-1\u0001a',
      "a|=cmd|'/c calc'!A0",
    ].map((text) => Buffer.from(text)),
  open: async () => {
    const { csvText } = await import('@curfew/console/parts');
    return (input) => {
      const table = input
        .toString()
        .split(ROW)
        .map((row) => row.split(CELL));
      const [head = [], ...rows] = table;
      const text = csvText(head, rows);
      assert.deepEqual(
        readTable(text, ',').map((row) => row.map(unguarded)),
        table.map((row) => row.map(unguarded)),
      );
      for (const separator of SEPARATORS)
        for (const cell of readTable(text, separator).flat())
          assert.doesNotMatch(cell, FORMULA, `a formula where cells are parted by ${JSON.stringify(separator)}`);
      return text.includes("'");
    };
  },
};
