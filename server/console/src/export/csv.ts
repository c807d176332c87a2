/** Beginnings that make a spreadsheet read a cell as a formula (OWASP, 'CSV Injection'). */
const FORMULA = /^[\s\u00a0\ufeff]*[=+\-@|%＝＋－＠]|^[\t\r\n]/u;

/** One cell: always quoted, never a formula. An apostrophe before it makes spreadsheets take it as text. */
export function csvCell(value: string): string {
  const text = FORMULA.test(value) ? `'${value}` : value;
  return `"${text.replace(/"/g, '""')}"`;
}

/** A table as RFC 4180 has it, with a mark that tells spreadsheets that it is UTF-8. */
export function csvText(head: readonly string[], rows: Iterable<readonly string[]>): string {
  const lines = [head, ...rows].map((cells) => cells.map(csvCell).join(','));
  return `\ufeff${lines.join('\r\n')}\r\n`;
}
