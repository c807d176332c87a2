import { styleText } from 'node:util';
import CliTable from 'cli-table3';
import { safeText } from '../safe-text.js';
import type { Look } from './terminal.js';

export type CellStyle = 'green' | 'yellow' | 'red' | 'dim' | 'bold';

/** One column. Values are hostile text until `renderTable` has made them safe. */
export interface Column<T> {
  readonly title: string;
  readonly value: (row: T) => string;
  readonly style?: (row: T) => CellStyle | undefined;
  /** The column that is cut when the terminal is too narrow. At most one. */
  readonly flexible?: boolean;
}

const NO_LINES = Object.fromEntries(
  'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle'
    .split(' ')
    .map((name) => [name, '']),
);
const GAP = 2;
const NARROWEST = 12;

const paint = (text: string, style: CellStyle | undefined, look: Look): string =>
  look.colour && style !== undefined && text !== '' ? styleText(style, text, { validateStream: false }) : text;

/** A table without lines, one row a line whatever the values hold, ending in a line break. Empty without rows. */
export function renderTable<T>(columns: readonly Column<T>[], rows: readonly T[], look: Look): string {
  if (rows.length === 0) return '';
  const cells = rows.map((row) =>
    columns.map((column) => {
      const text = safeText(column.value(row));
      return { text: text === '' ? '-' : text, style: column.style?.(row) };
    }),
  );
  const widths = columns.map((column, at) =>
    Math.max(column.title.length, ...cells.map((row) => row[at]?.text.length ?? 0)),
  );
  const flexible = columns.findIndex((column) => column.flexible === true);
  const colWidths: (number | null)[] = columns.map(() => null);
  if (look.width !== undefined && flexible >= 0) {
    const others = widths.reduce((sum, width, at) => sum + GAP + (at === flexible ? 0 : width), 0);
    const room = Math.max(NARROWEST, look.width - others);
    if (room < (widths[flexible] ?? 0)) colWidths[flexible] = room + GAP;
  }
  const table = new CliTable({
    head: columns.map((column) => paint(column.title, 'bold', look)),
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': GAP },
    colWidths,
  });
  table.push(...cells.map((row) => row.map(({ text, style }) => paint(text, style, look))));
  return trimLines(table.toString());
}

/** Labels and values, one a line; a field whose value is empty is left out. Values are made safe. */
export function renderFields(fields: readonly (readonly [label: string, value: string])[], look: Look): string {
  const shown = fields.filter(([, value]) => value !== '');
  const width = Math.max(0, ...shown.map(([label]) => label.length));
  return shown
    .map(([label, value]) => `${paint(`${label}:`.padEnd(width + 1), 'dim', look)}  ${safeText(value)}\n`)
    .join('');
}

const trimLines = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n') + '\n';
