import { Button, Checkbox, Label } from '@patternfly/react-core';
import { SortByDirection, Table, Tbody, Td, Th, Thead, Tr, type ThProps } from '@patternfly/react-table';
import { memo, type ReactElement } from 'react';
import { PLATFORM_NAMES } from '../../model/platform.js';
import { sessionTarget, type SessionView } from '../../model/session.js';
import { durationText } from '../../model/time-text.js';
import { SafeText } from '../../ui/safe-text.js';
import { Ago, TimeLeft } from '../../ui/times.js';
import { isSelectable } from './selection.js';
import { SessionActions } from './session-actions.js';
import type { SessionQuery, SortColumn } from './session-query.js';
import { SessionStateLabel } from './session-state-label.js';

/** What can be done to the sessions of the table. */
export interface SessionTableEvents {
  readonly onTick: (session: SessionView, on: boolean) => void;
  readonly onDetails: (session: SessionView) => void;
  readonly onExtend: (session: SessionView) => void;
  readonly onRevoke: (session: SessionView) => void;
}

export interface SessionTableProps {
  readonly query: SessionQuery;
  readonly rows: readonly SessionView[];
  readonly isTicked: (session: SessionView) => boolean;
  readonly onSort: (column: SortColumn, descending: boolean) => void;
  readonly events: SessionTableEvents;
}

interface Column {
  readonly label: string;
  readonly sort?: SortColumn;
  /** Whether it is shown only where there is much room; the details have it too. */
  readonly isExtra?: boolean;
  /** In percent of the table. */
  readonly width?: 20 | 25;
}

const COLUMNS: Readonly<Record<SessionQuery['tab'], readonly Column[]>> = {
  'device-admin': [
    { label: 'User', sort: 'user_name' },
    { label: 'Device', sort: 'device_name' },
    { label: 'Time left', sort: 'expire_time' },
    { label: 'State', sort: 'state', width: 20 },
    { label: 'Started', sort: 'create_time', isExtra: true },
    { label: 'Reason', width: 25 },
  ],
  'timed-access': [
    { label: 'User', sort: 'user_name' },
    { label: 'Resource', sort: 'resource_name' },
    { label: 'Approved duration' },
    { label: 'Time left', sort: 'expire_time' },
    { label: 'State', sort: 'state', width: 25 },
    { label: 'Started', sort: 'create_time', isExtra: true },
    { label: 'Reason', width: 20 },
  ],
};

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
              {...(width === undefined ? {} : { width })}
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

interface SessionRowProps {
  readonly session: SessionView;
  readonly isTicked: boolean;
  readonly isTimed: boolean;
  readonly events: SessionTableEvents;
}

const SessionRow = memo(function SessionRow(props: SessionRowProps): ReactElement {
  const { session, isTicked, isTimed, events } = props;
  const isOver = session.state === 'ended';
  return (
    <Tr isRowSelected={isTicked} {...(isOver ? { className: 'curfew-row-over' } : {})} data-session={session.id}>
      <Td className="pf-v6-c-table__check">
        <Checkbox
          id={`select-${session.id}`}
          aria-label={`Select ${session.userName} on ${sessionTarget(session)}`}
          isChecked={isTicked}
          isDisabled={!isSelectable(session)}
          onChange={(_event, on) => events.onTick(session, on)}
        />
      </Td>
      <Td dataLabel="User">
        <Button variant="link" isInline onClick={() => events.onDetails(session)}>
          <SafeText text={session.userName} />
        </Button>
        {isTimed || session.accountName === '' || session.accountName === session.userName ? null : (
          <div className="curfew-detail">
            account <SafeText text={session.accountName} />
          </div>
        )}
      </Td>
      {isTimed ? (
        <>
          <Td dataLabel="Resource">
            <SafeText text={session.resourceName} />
          </Td>
          <Td dataLabel="Approved duration">{session.duration === undefined ? '' : durationText(session.duration)}</Td>
        </>
      ) : (
        <Td dataLabel="Device">
          <SafeText text={session.deviceName} />
          {session.platform === undefined ? null : (
            <div className="curfew-detail">{PLATFORM_NAMES[session.platform]}</div>
          )}
        </Td>
      )}
      <Td dataLabel="Time left">{isOver ? '—' : <TimeLeft until={session.expireTime} />}</Td>
      <Td dataLabel="State">
        <SessionStateLabel session={session} />
      </Td>
      <Td dataLabel="Started" visibility={EXTRA}>
        <Ago at={session.activeTime ?? session.createTime} />
      </Td>
      <Td dataLabel="Reason" modifier="breakWord" className="curfew-reason">
        {session.breakGlass ? (
          <Label color="red" isCompact className="curfew-gap">
            break-glass
          </Label>
        ) : null}
        <SafeText text={session.reason} />
      </Td>
      <Td isActionCell>
        <SessionActions
          session={session}
          onDetails={() => events.onDetails(session)}
          onExtend={() => events.onExtend(session)}
          onRevoke={() => events.onRevoke(session)}
        />
      </Td>
    </Tr>
  );
});
