import type { SessionKind } from '@curfew/shared/browser';
import { Button } from '@patternfly/react-core';
import { ClockIcon } from '@patternfly/react-icons/dist/esm/icons/clock-icon.js';
import { SearchIcon } from '@patternfly/react-icons/dist/esm/icons/search-icon.js';
import { Link } from '@tanstack/react-router';
import { useDeferredValue, type ReactElement } from 'react';
import type { SessionView } from '../../model/session.js';
import { EmptyView, ErrorView, LoadingView } from '../../ui/states.js';
import { isNarrowed, type SessionQuery } from './session-query.js';
import type { SessionRowEvents } from './session-row.js';
import { SessionTable } from './session-table.js';
import type { SessionList } from './use-session-list.js';

export interface SessionsBodyProps {
  readonly query: SessionQuery;
  readonly kind: SessionKind;
  readonly list: SessionList;
  readonly isTicked: (session: SessionView) => boolean;
  readonly onQuery: (query: SessionQuery) => void;
  readonly onClearFilters: () => void;
  readonly events: SessionRowEvents;
}

/** The list, or why there is none. */
export function SessionsBody(props: SessionsBodyProps): ReactElement {
  const { query, kind, list, isTicked, onQuery, onClearFilters, events } = props;
  // A hundred new rows are made in small pieces, between which the page answers.
  const rows = useDeferredValue(list.rows);
  const table = (
    <SessionTable
      query={query}
      rows={rows}
      isTicked={isTicked}
      onSort={(sort, descending) => onQuery({ ...query, sort, descending })}
      events={events}
    />
  );
  if (list.error !== null)
    return (
      <>
        <ErrorView title="The sessions could not be loaded" error={list.error} onRetry={list.refetch} />
        {list.rows.length > 0 ? table : null}
      </>
    );
  if (list.isPending) return <LoadingView what="sessions" />;
  if (list.rows.length > 0) return table;
  if (isNarrowed(query))
    return (
      <EmptyView
        title="No session matches"
        icon={SearchIcon}
        actions={
          <Button variant="link" onClick={onClearFilters}>
            Clear all filters
          </Button>
        }
      >
        Change the search or take filters away.
      </EmptyView>
    );
  return kind === 'device_admin' ? (
    <EmptyView
      title="Nobody has admin rights now"
      icon={ClockIcon}
      actions={<Link to="/requests">Look at the requests</Link>}
    >
      A session appears here once a person starts what was approved. People ask with <code>curfew request</code> on
      their device, or under My access.
    </EmptyView>
  ) : (
    <EmptyView
      title="Nobody has timed access now"
      icon={ClockIcon}
      actions={<Link to="/requests">Look at the requests</Link>}
    >
      Access to a resource appears here once it is approved, with the approved duration.
    </EmptyView>
  );
}
