/** One label as it is edited. */
export interface LabelRow {
  readonly name: string;
  readonly value: string;
}

const WORD = /^[A-Za-z0-9._-]{1,63}$/;
const MOST = 50;

/** Labels in the order of their names. */
export const labelRows = (labels: Readonly<Record<string, string>> | undefined): LabelRow[] =>
  Object.entries(labels ?? {})
    .map(([name, value]) => ({ name, value }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));

/** What is wrong with the labels, each at its row; rows that are right have nothing. Empty rows do not count. */
export function labelProblems(rows: readonly LabelRow[]): (string | undefined)[] {
  return rows.map(({ name, value }, index) => {
    if (name === '' && value === '') return undefined;
    if (!WORD.test(name) || !WORD.test(value))
      return 'Name and value: 1 to 63 letters, digits, dots, underscores and hyphens.';
    if (rows.findIndex((row) => row.name === name) < index) return 'There is another label of this name.';
    return index >= MOST ? `At most ${MOST} labels.` : undefined;
  });
}

/** The labels of the rows; empty rows are left out. */
export const labelsOf = (rows: readonly LabelRow[]): Record<string, string> =>
  Object.fromEntries(rows.filter(({ name }) => name !== '').map(({ name, value }) => [name, value]));
