/** What the head of a column of a table needs to be sorted by. */
export interface ColumnSort {
  readonly sortBy: { readonly index?: number; readonly direction?: 'asc' | 'desc' };
  readonly onSort: (event: unknown, index: number, direction: 'asc' | 'desc') => void;
  readonly columnIndex: number;
}

/** The sort of one column, where the order is spelled as the API spells it: 'name' or 'name desc'. */
export function sortBy(
  columns: readonly string[],
  column: string,
  orderBy: string,
  onChange: (orderBy: string) => void,
): ColumnSort {
  const [current = '', direction] = orderBy.split(' ');
  const index = columns.indexOf(current);
  return {
    columnIndex: columns.indexOf(column),
    sortBy: index < 0 ? {} : { index, direction: direction === 'desc' ? 'desc' : 'asc' },
    onSort: (_event, at, wanted) => onChange(`${columns[at] ?? ''}${wanted === 'desc' ? ' desc' : ''}`),
  };
}
