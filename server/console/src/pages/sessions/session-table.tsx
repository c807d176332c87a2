import { SortByDirection, Table, Tbody, Th, Thead, Tr, type ThProps } from '@patternfly/react-table';
import type { ReactElement } from 'react';
import type { SessionView } from '../../model/session.js';
import type { SessionQuery, SortColumn } from './session-query.js';
import { SessionRow, type SessionRowEvents } from './session-row.js';

export interface SessionTableProps {
  readonly query: SessionQuery;
  readonly rows: readonly SessionView[];
  readonly isTicked: (session: SessionView) => boolean;
  readonly onSort: (column: SortColumn, descending: boolean) => void;
  readonly events: SessionRowEvents;
}

interface Column {
  readonly label: string;
  readonly sort?: SortColumn;
  /** Whether it is shown only where there is much room; the details have it too. */
  readonly isExtra?: boolean;
  /** In percent of the table, or as wide as what stands in it. Absent: a share of what the others leave. */
  readonly width?: 20 | 25 | 'short' | 'medium';
}

const COLUMNS: Readonly<Record<SessionQuery['tab'], readonly Column[]>> = {
  'device-admin': [
    { label: 'User', sort: 'user_name' },
    { label: 'Device', sort: 'device_name' },
    { label: 'Time left', sort: 'expire_time', width: 'short' },
    { label: 'State', sort: 'state', width: 20 },
    { label: 'Started', sort: 'create_time', isExtra: true },
    { label: 'Reason', width: 25 },
  ],
  'timed-access': [
    { label: 'User', sort: 'user_name' },
    { label: 'Resource', sort: 'resource_name' },
    { label: 'Approved for', width: 'short' },
    { label: 'Time left', sort: 'expire_time', width: 'short' },
    { label: 'State', sort: 'state', width: 'medium' },
    { label: 'Started', sort: 'create_time', isExtra: true },
    { label: 'Reason' },
  ],
};

const widthOf = (width: Column['width']): Pick<ThProps, 'width' | 'className'> =>
  width === undefined ? {} : typeof width === 'number' ? { width } : { className: `curfew-column-${width}` };

const EXTRA: ('hidden' | 'visibleOn2Xl')[] = ['hidden', 'visibleOn2Xl'];

/** The sessions of a tab, one a row. */
export function SessionTable({ query, rows, isTicked, onSort, events }: SessionTableProps): ReactElement {
  const columns = COLUMNS[query.tab];
  const sortOf = (sort: SortColumn | undefined, columnIndex: number): Pick<ThProps, 'sort'> =>
    sort === undefined
      ? {}
      : {
          sort: {
            columnIndex,
            sortBy: {
              index: columns.findIndex((column) => column.sort === query.sort),
              direction: query.descending ? 'desc' : 'asc',
            },
            onSort: (_event, _index, direction) => onSort(sort, direction === SortByDirection.desc),
          },
        };
  return (
    <Table
      variant="compact"
      className="curfew-sessions"
      aria-label={query.tab === 'device-admin' ? 'Device Admin sessions' : 'Timed Access sessions'}
    >
      <Thead>
        <Tr>
          <Th screenReaderText="Select" className="pf-v6-c-table__check" />
          {columns.map(({ label, sort, width, isExtra = false }, index) => (
            <Th
              key={label}
              modifier="nowrap"
              {...(isExtra ? { visibility: EXTRA } : {})}
              {...widthOf(width)}
              {...sortOf(sort, index)}
            >
              {label}
            </Th>
          ))}
          <Th screenReaderText="Actions" className="pf-v6-c-table__action" />
        </Tr>
      </Thead>
      <Tbody>
        {rows.map((session) => (
          <SessionRow
            key={session.id}
            session={session}
            isTicked={isTicked(session)}
            isTimed={query.tab === 'timed-access'}
            events={events}
          />
        ))}
      </Tbody>
    </Table>
  );
}
