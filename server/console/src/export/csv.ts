/**
 * Where a spreadsheet would begin to read a formula (OWASP, 'CSV Injection'): at the beginning of a cell, and after what a
 * spreadsheet of another country parts cells and rows by. It finds the quotes of ours in the middle of its cells, where they
 * protect nothing.
 */
const BEFORE_FORMULA = /(?<=^|[;\t|\r\n])(?=[\s"\u00a0\ufeff]*[=+\-@|%＝＋－＠])|^(?=[\t\r\n])/gu;

/** One cell: always quoted, never a formula. An apostrophe before one makes spreadsheets take it as text. */
export function csvCell(value: string): string {
  return `"${value.replace(BEFORE_FORMULA, "'").replace(/"/g, '""')}"`;
}

/** A table as RFC 4180 has it, with a mark that tells spreadsheets that it is UTF-8. */
export function csvText(head: readonly string[], rows: Iterable<readonly string[]>): string {
  const lines = [head, ...rows].map((cells) => cells.map(csvCell).join(','));
  return `\ufeff${lines.join('\r\n')}\r\n`;
}
